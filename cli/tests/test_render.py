import io
from collections.abc import Mapping
from typing import Any

import pytest
from rich.console import Console, RenderableType

from aiops_cli import render


def shown(renderable: RenderableType, width: int) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(renderable)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(len, text.splitlines())) <= width
    return "\n".join(line.rstrip() for line in text.splitlines())


def counted(template: str, level: str, minutes: Mapping[int, int]) -> dict[str, Any]:
    """A pattern of a log as the graph tells it, with its counts by minute."""
    return {
        "count": sum(minutes.values()),
        "severityCounts": [{"severity": level, "count": sum(minutes.values())}],
        "firstTime": f"2026-11-20T10:{min(minutes):02d}:00Z",
        "lastTime": f"2026-11-20T10:{max(minutes):02d}:00Z",
        "buckets": [{"startTime": f"2026-11-20T10:{m:02d}:00Z", "count": count} for m, count in minutes.items()],
        "bucketSeconds": 60,
        "pattern": {"template": template},
    }


def test_courses_of_stored_patterns_share_one_axis_of_time() -> None:
    rows = render.pattern_rows(
        [counted("order paid", "INFO", {0: 9, 1: 9, 2: 9}), counted("refused", "ERROR", {2: 1, 4: 2})], 30
    )

    assert [row["course"] for row in rows] == [[9, 9, 9, 0, 0], [0, 0, 1, 0, 2]]


def test_a_course_has_no_more_columns_than_there_is_room_for() -> None:
    [row] = render.pattern_rows([counted("order paid", "INFO", dict.fromkeys(range(60), 1))], 60)

    assert len(row["course"]) == render.COURSE_COLUMNS + 1
    assert sum(row["course"]) == 60


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_a_pattern_is_whole_on_every_terminal(width: int) -> None:
    rows = render.pattern_rows([counted("payment refused by <*>", "ERROR", {2: 1234})], 2468)

    text = shown(render.patterns_list(rows, "1 pattern", width), width)

    for part in ("1,234", "50.0", "ERROR", "2026-11-20 10:02:00", "payment refused by <*>"):
        assert part in text
    assert ("over time" in text) == (width >= 96)


def test_both_ends_of_a_pattern_stand_below_each_other_at_60_columns() -> None:
    rows = render.pattern_rows([counted("payment refused by <*>", "ERROR", {2: 1200, 3: 34})], 2468)

    assert shown(render.patterns_list(rows, "1 pattern", 60), 60).splitlines() == [
        "1 pattern",
        "    count      %  level  first seen",
        "                         last seen",
        "    1,234   50.0  ERROR  2026-11-20 10:02:00",
        "                         2026-11-20 10:03:00",
        "    payment refused by <*>",
    ]


@pytest.mark.parametrize(("count", "told"), [(0, "0 entries"), (1, "1 entry"), (1234, "1,234 entries")])
def test_one_is_counted_as_one(count: int, told: str) -> None:
    assert render.many(count, "entry", "entries") == told


@pytest.mark.parametrize("width", [80, 160])
def test_a_log_is_whole_on_every_terminal(width: int) -> None:
    log = {
        "id": "0198c0de-0000-7000-8000-000000000001",
        "name": "shop-frontend-\u202e2026.log",
        "service": "shop",
        "state": "FAILED",
        "status": "ACKNOWLEDGED",
        "severity": "FATAL",
        "recordCount": 2000,
        "createdAt": "2026-11-20T10:00:00Z",
    }

    text = shown(render.logs_list([log], width), width)

    for part in (log["id"], "shop-frontend-\ufffd2026.log", "failed", "acknowledged", "FATAL", "2,000"):
        assert str(part) in text
    assert "2026-11-20 10:00:00" in text
