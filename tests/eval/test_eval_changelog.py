"""A floor under the notes' likeness to what people wrote; the data is not part of the project."""

from __future__ import annotations

import json
from typing import Any

from tests.eval.adapters_changelog import entries_of
from tests.eval.labelled import FOLDER, skipped_without

_DATA = FOLDER / "changelog"
_FILES = sorted(_DATA.glob("*.json"))
pytestmark = skipped_without(_FILES)


def scores(release: dict[str, Any]) -> tuple[float, float] | None:
    """Recall and F1 of one release by pull request; nothing when its writer names none that is in the range."""
    reachable = {commit["pr"] for commit in release["commits"] if commit["pr"]}
    written = {number for entry in release["gold"] for number in entry["prs"]} & reachable
    if not written:
        return None
    entries = entries_of(release["commits"])
    found = len({number for number, _ in entries} & written)
    precision, recall = found / max(1, len(entries)), found / len(written)
    return recall, 2 * precision * recall / (precision + recall) if found else 0.0


def test_notes_list_what_people_list() -> None:
    recalls, f1s = [], []
    for path in _FILES:
        releases = json.loads(path.read_text(encoding="utf-8"))["releases"]
        scored = [found for release in releases if (found := scores(release)) is not None]
        recalls.append(sum(recall for recall, _ in scored) / len(scored))
        f1s.append(sum(f1 for _, f1 in scored) / len(scored))

    assert sum(f1s) / len(f1s) >= 0.70
    assert min(f1s) >= 0.60
    assert sum(recalls) / len(recalls) >= 0.80
