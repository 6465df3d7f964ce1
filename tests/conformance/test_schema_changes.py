"""The graph of the last release stays: npm's graphql-inspector judges what changed since."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import gateway

if TYPE_CHECKING:
    from tests.conformance.conftest import RunNode

pytestmark = pytest.mark.timeout(300)  # the first test installs the packages

ROOT = Path(__file__).resolve().parents[2]
BASELINE = ROOT / "gateway" / "schema.baseline.graphql"
CURRENT = Path(gateway.__file__).parent / "schema.graphql"


async def test_no_change_since_the_last_release_breaks_a_client(run_node: "RunNode") -> None:
    changes = await run_node("diff.mjs", str(BASELINE), str(CURRENT))

    assert changes["breaking"] == [], "keep it and mark it @deprecated; see docs/adr/0029"


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ("displayName: String!", "label: String!", "Field 'displayName' was removed from object type 'User'"),
        ("severity: Severity", "severity: String", "Field 'Log.severity' changed type from 'Severity' to 'String'"),
        ("LogStatus", "LogStatuses", "Type 'LogStatus' was removed"),
        ("idempotencyKey: String = null", "idempotencyKey: String!", "'LogInInput.idempotencyKey' changed type"),
    ],
    ids=["removed field", "changed type", "renamed type", "required input"],
)
async def test_break_is_found(run_node: "RunNode", tmp_path: Path, before: str, after: str, verdict: str) -> None:
    current = CURRENT.read_text()
    assert before in current
    changed = tmp_path / "schema.graphql"
    changed.write_text(re.sub(rf"{re.escape(before)}(?!\w)", after, current))

    changes = await run_node("diff.mjs", str(CURRENT), str(changed))

    assert any(verdict in change for change in changes["breaking"]), changes["breaking"]
