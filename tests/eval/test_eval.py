"""Floors under the measured quality; the data is not part of the project."""

from __future__ import annotations

import csv
from collections import defaultdict

import pytest
from tests.eval.adapters import cluster
from tests.eval.labelled import FOLDER, skipped_without

_DATA = FOLDER / "logs"
_SYSTEMS = sorted(path.name.removesuffix("_2k.log") for path in _DATA.glob("original/*_2k.log"))
_WITHOUT_DATA = skipped_without(_SYSTEMS)


def lines_and_labels(system: str, mode: str, labels: str) -> tuple[list[str], list[str]]:
    """The lines of one log, whole or without their header, and the true pattern of each."""
    with (_DATA / f"original/{system}_2k.log_structured.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    truth = [row["EventId"] for row in rows]
    if labels == "corrected":
        path = _DATA / f"corrected/{system}_2k.log_structured_corrected.csv"
        with path.open(newline="", encoding="utf-8") as file:
            truth = [row["EventTemplate"] for row in csv.DictReader(file)]
    if mode == "content":
        return [row["Content"] for row in rows], truth
    with (_DATA / f"original/{system}_2k.log").open(encoding="utf-8", errors="replace", newline="") as file:
        return [line.rstrip("\r") for line in file.read().split("\n")][: len(truth)], truth


def accuracy(predicted: list[str], truth: list[str]) -> tuple[float, float]:
    """Grouping accuracy (share of lines in exactly right groups) and the F1 of groups."""
    groups: dict[str, list[int]] = defaultdict(list)
    sizes: dict[str, int] = defaultdict(int)
    for index, (group, label) in enumerate(zip(predicted, truth, strict=True)):
        groups[group].append(index)
        sizes[label] += 1
    right = [
        members
        for members in groups.values()
        if len({truth[index] for index in members}) == 1 and sizes[truth[members[0]]] == len(members)
    ]
    return sum(map(len, right)) / len(truth), 2 * len(right) / (len(groups) + len(sizes))


@_WITHOUT_DATA
@pytest.mark.parametrize("labels", ["original", "corrected"])
@pytest.mark.parametrize(("mode", "least_ga", "least_fga"), [("raw", 0.520, 0.615), ("content", 0.80, 0.80)])
def test_patterns_of_real_logs_are_better_than_the_best_peer(
    mode: str, least_ga: float, least_fga: float, labels: str
) -> None:
    scores = []
    for system in _SYSTEMS:
        lines, truth = lines_and_labels(system, mode, labels)
        scores.append(accuracy([pattern_id for pattern_id, _ in cluster(lines)], truth))

    assert sum(ga for ga, _ in scores) / len(scores) > least_ga
    assert sum(fga for _, fga in scores) / len(scores) > least_fga
