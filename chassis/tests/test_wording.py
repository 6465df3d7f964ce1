"""Which words a machine may say of what it was shown."""

import pytest

from chassis.wording import foreign_words

SHOWN = "connection refused to db-7.internal by <USER:ab12cd34>; retry in 30 s"


@pytest.mark.parametrize(
    "text",
    [
        "Connections were refused 84 times, mostly after the retries.",
        "db-7.internal is refusing connections.",
        "ＣＯＮＮＥＣＴＩＯＮ refused",  # noqa: RUF001 - full-width letters
        "",
        "404",
    ],
)
def test_words_of_the_source_and_of_plain_reports_are_not_foreign(text: str) -> None:
    assert foreign_words(text, SHOWN) == []


@pytest.mark.parametrize(
    ("text", "foreign"),
    [
        ("Alice was dismissed.", ["alice", "dismissed"]),
        ("Connections are refused, see evil.example.", ["evil", "example", "evil.example"]),
        ("Refused to connection.internal", ["connection.internal"]),
        ("Write to retry@refused.", ["retry@refused"]),
        ("Réfusé", ["réfusé"]),
        ("отказ", ["отказ"]),
        ("a l i c e", ["l", "c", "e"]),
        ("USER", []),
        ("<USER:ab12cd34> refused", []),
    ],
)
def test_other_words_and_names_are_foreign(text: str, foreign: list[str]) -> None:
    assert foreign_words(text, SHOWN) == foreign


def test_a_name_must_stand_in_one_source_as_it_is() -> None:
    assert foreign_words("db.internal", "db", "internal") == ["db.internal"]
    assert foreign_words("db.internal", "at db.internal:5432") == []
