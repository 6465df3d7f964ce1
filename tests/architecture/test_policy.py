"""docs/policy.md says what the policy tables say."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_policy_page_is_current() -> None:
    check = subprocess.run(
        [sys.executable, "dev/generate_policy.py", "--check"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert (check.returncode, check.stderr) == (0, "")


def test_the_policy_page_names_what_is_masked() -> None:
    page = (ROOT / "docs" / "policy.md").read_text()

    assert "| `Reporter` | `external_email` | admin, hr, service |" in page
    assert "| `LogRecord` | every field | admin, ops |" in page
    assert "| `User` | `email` | admin, hr, the user in `id`" in page
    assert "| `Ticket` | otherwise | admin, hr, service, the user in `reporter.user_id` |" in page
    assert "| `DeadLetter` | every field | admin |" in page
