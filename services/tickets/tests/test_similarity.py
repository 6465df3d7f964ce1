"""Words of tickets, and how alike they are."""

import pytest

from tickets_service.similarity import Weights, count_words, most_alike, spellings, words

EVEN = Weights({}, 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The checkout is down", ["checkout", "down"]),
        ("BlockManager", ["blockmanager", "block", "manager"]),
        ("disk_full", ["disk_full", "disk", "full"]),
        ("failing failed fails services entries", ["fail", "fail", "fail", "servic", "entry"]),
        ("HTTPServer2", ["httpserver2", "http", "server"]),
        ("größe naïve 漢字", ["größ", "naïv", "漢字"]),
        ("a I 7 -- <b>", []),
        ("x" * 61, []),
    ],
)
def test_words_are_lower_case_without_endings_and_names_give_their_parts(text: str, expected: list[str]) -> None:
    assert list(words(text)) == expected


def test_the_title_counts_twice_and_a_long_message_is_cut() -> None:
    assert count_words("Disk full", "disk") == {"disk": 3, "full": 2}
    assert count_words("t1", "late " * 1_599 + "x" * 4 + " early" * 5)["late"] == 1_599
    assert "early" not in count_words("t1", "late " * 1_600 + " early")
    assert len(count_words("title", " ".join(f"word{n}x" for n in range(1_000)))) == 200


def test_rare_words_weigh_more_and_equal_texts_are_wholly_alike() -> None:
    weights = Weights({"error": 30, "quota": 2}, 100)
    asked = {"error": 1, "quota": 1}
    candidates = {"same": asked, "rare": {"quota": 1, "x": 1}, "common": {"error": 1, "x": 1}, "none": {"x": 1}}

    found = most_alike(asked, candidates, weights, first=5)

    assert [alike.ticket for alike in found] == ["same", "rare", "common"]
    assert found[0].similarity == pytest.approx(1.0)
    assert found[0].shared_words == ("quota", "error")
    assert 1 > found[1].similarity > found[2].similarity > 0


def test_a_word_that_was_not_counted_yet_is_as_telling_as_any() -> None:
    assert EVEN.of("new") == EVEN.of("old") == 1
    assert Weights({"known": 3}, 3).of("new") > Weights({"known": 3}, 3).of("known") == 1
    assert Weights({"ahead": 9}, 3).of("ahead") == 1


def test_telling_words_lead_to_no_more_tickets_than_the_budget() -> None:
    weights = Weights({"a1": 60, "b1": 30, "c1": 30, "d1": 5}, 100)

    assert weights.telling({"a1": 1, "b1": 1, "c1": 1, "d1": 1, "new": 1}, budget=65) == ["new", "d1", "b1", "c1"]
    assert weights.telling({"a1": 1}, budget=59) == []


def test_equally_alike_ones_come_in_one_order() -> None:
    candidates = {name: {"disk": 1} for name in ("b", "c", "a")}

    assert [alike.ticket for alike in most_alike({"disk": 1}, candidates, EVEN, first=2)] == ["a", "b"]


def test_shared_words_are_spelled_as_in_the_ticket() -> None:
    assert spellings("Services fail", "The service failed") == {"servic": "services", "fail": "fail"}


def test_tickets_that_share_little_are_not_similar() -> None:
    weights = Weights({"checkout": 20}, 100)
    asked = {"checkout": 1, "certificate": 1}
    candidates = {
        "similar": {"checkout": 1, "down": 1, "since": 1},
        "hardly": {"checkout": 1, "slow": 1, "since": 1, "monday": 1, "morning": 1},
    }

    found = most_alike(asked, candidates, weights, first=5)

    assert [(alike.ticket, round(alike.similarity, 2)) for alike in found] == [("similar", 0.13)]
