"""docs/configuration.md says what the code reads."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_configuration_page_is_current() -> None:
    check = subprocess.run(
        [sys.executable, "dev/generate_configuration.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (check.returncode, check.stderr) == (0, "")


def test_the_configuration_page_names_what_stops_a_start() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()

    required = [line.split("`")[1] for line in page.splitlines() if "**required**" in line]

    assert required[:2] == ["AIOPS_TRUST_FILE", "AIOPS_REDACTION_KEY_FILE"]
    assert {"AUTH_DATABASE_URL", "LOGS_DATABASE_URL", "AI_DATABASE_URL", "GATEWAY_KEY_FILE"} <= set(required)
