"""Floors under the measured quality of similar tickets; the data is not part of the project."""

from __future__ import annotations

import csv
import re
import sys
from collections import Counter, defaultdict

import pytest
from tests.eval.labelled import FOLDER, skipped_without

from tickets_service.similar import COMPARED, TICKETS_PER_QUERY
from tickets_service.similarity import Weights, count_words, most_alike

_DATA = FOLDER / "tickets"
_SETS = sorted(path.name.removesuffix(".csv") for path in _DATA.glob("*_bugs.csv"))
_WITHOUT_DATA = skipped_without(_SETS)


def tickets_and_duplicates(name: str) -> tuple[list[dict[str, int]], dict[int, set[int]]]:
    """The words of each ticket, and for those with known duplicates their places."""
    csv.field_size_limit(sys.maxsize)
    with (_DATA / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    places = {row["Issue id"]: place for place, row in enumerate(rows)}
    duplicates: dict[int, set[int]] = defaultdict(set)
    with (_DATA / f"{name}-combined.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            for other in re.split(r"[,;\s]+", row["Duplicate id"]):
                if row["Issue id"] in places and other in places and other != row["Issue id"]:
                    duplicates[places[row["Issue id"]]].add(places[other])
    return [count_words(row["Summary"] or "", row["Description"] or "") for row in rows], duplicates


def ranks(name: str) -> list[int]:
    """For each ticket with duplicates, the rank of the best one; found on the way that the service goes."""
    tickets, duplicates = tickets_and_duplicates(name)
    having: dict[str, list[int]] = defaultdict(list)
    for place, counts in enumerate(tickets):
        for word in counts:
            having[word].append(place)
    weights = Weights({word: len(places) for word, places in having.items()}, len(tickets))
    found = []
    for asked, wanted in duplicates.items():
        score: Counter[int] = Counter()
        for word in weights.telling(tickets[asked], budget=TICKETS_PER_QUERY):
            for place in having[word]:
                score[place] += weights.of(word)  # type: ignore[assignment]  # a counter of floats
        del score[asked]
        candidates = {place: tickets[place] for place, _ in score.most_common(COMPARED)}
        order = [alike.ticket for alike in most_alike(tickets[asked], candidates, weights, first=COMPARED)]
        found.append(next((rank for rank, place in enumerate(order, start=1) if place in wanted), sys.maxsize))
    return found


@_WITHOUT_DATA
@pytest.mark.parametrize("name", _SETS)
def test_known_duplicates_are_among_the_most_similar_tickets(name: str) -> None:
    found = ranks(name)

    share = {k: sum(rank <= k for rank in found) / len(found) for k in (1, 5, 10)}
    mean = sum(1 / rank for rank in found) / len(found)
    print(f"{name}: {len(found)} queries, R@1 {share[1]:.3f} R@5 {share[5]:.3f} R@10 {share[10]:.3f} MRR {mean:.3f}")  # noqa: T201
    assert share[5] >= 0.75
    assert share[10] >= 0.80
    assert mean >= 0.58
