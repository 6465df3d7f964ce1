"""The lint of migrations finds what would stop traffic or take something away, and lets contractions take away."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RENAME = "ALTER TABLE tickets RENAME COLUMN message TO description;\n"
DROP = "ALTER TABLE tickets DROP COLUMN message;\n"


def lint(path: Path, text: str) -> subprocess.CompletedProcess[str]:
    path.write_text(text)
    command = [sys.executable, str(ROOT / "dev" / "lint_migrations.py"), str(path)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (RENAME, "renaming-column"),
        (DROP, "ban-drop-column"),
        ("DROP TABLE tickets;\n", "ban-drop-table"),
        ("ALTER TABLE tickets ALTER COLUMN title TYPE varchar(80);\n", "changing-column-type"),
        ("CREATE INDEX ix_tickets_title ON tickets (title);\n", "require-concurrent-index-creation"),
        ("ALTER TABLE tickets ADD CONSTRAINT ck_t CHECK (title <> '');\n", "constraint-missing-not-valid"),
        ("ALTER TABLE tickets ALTER COLUMN title SET NOT NULL;\n", "adding-not-nullable-field"),
    ],
)
@pytest.mark.parametrize("phase", ["expand", "backfill"])
def test_what_the_running_version_would_mind_is_found(tmp_path: Path, phase: str, text: str, rule: str) -> None:
    found = lint(tmp_path / f"0009_bad.{phase}.sql", text)

    assert found.returncode != 0
    assert rule in found.stdout + found.stderr


@pytest.mark.parametrize("text", [RENAME, DROP])
def test_a_contraction_may_take_away(tmp_path: Path, text: str) -> None:
    assert lint(tmp_path / "0009_good.contract.sql", text).returncode == 0


def test_a_contraction_may_not_stop_traffic(tmp_path: Path) -> None:
    found = lint(tmp_path / "0009_bad.contract.sql", "CREATE INDEX ix_tickets_title ON tickets (title);\n")

    assert found.returncode != 0


def test_a_concurrent_index_needs_no_transaction(tmp_path: Path) -> None:
    index = "CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_tickets_title ON tickets (title);\n"

    assert lint(tmp_path / "0009_index.expand.sql", f"-- aiops: no transaction\n{index}").returncode == 0
    assert lint(tmp_path / "0010_index.expand.sql", index).returncode != 0


def test_a_backfill_is_a_statement_with_two_parameters(tmp_path: Path) -> None:
    text = "UPDATE tickets SET description = message WHERE id::text > :cursor LIMIT :rows;\n"
    good = (
        "WITH filled AS (UPDATE tickets SET description = message WHERE id IN (SELECT id FROM tickets"
        " WHERE id::text > :cursor ORDER BY id LIMIT :rows) RETURNING id)"
        " SELECT coalesce(max(id::text), ''), count(*) FROM filled;\n"
    )

    assert lint(tmp_path / "0009_fill.backfill.sql", good).returncode == 0
    assert "syntax-error" in lint(tmp_path / "0010_fill.backfill.sql", text).stdout
