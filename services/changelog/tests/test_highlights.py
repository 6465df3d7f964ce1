"""Which entries are worth a sentence, and which sentences say no more than their entries."""

import pytest
from services.changelog.tests.factories import entry

from changelog_service.commits import Section
from changelog_service.highlights import (
    CheckedSentence,
    Sentence,
    check_sentences,
    plain_sentence,
    refusal,
    worth_telling,
)

BASKET = entry("c1", "Keep baskets for 30 days", scope="shop", references=("#12", "shop/api#7"))
LOGIN = entry("c2", "Drop logins by password", section=Section.REMOVED, breaking=True, breaking_note="Use v2 tokens.")
OFFERED = {"c1": BASKET, "c2": LOGIN}


def test_what_breaks_comes_first_and_then_security_additions_changes_and_fixes() -> None:
    entries = [
        entry("f", section=Section.FIXED), entry("c", section=Section.CHANGED), entry("a", section=Section.ADDED),
        entry("s", section=Section.SECURITY), entry("r", section=Section.REMOVED, breaking=True),
        entry("d", section=Section.DEPRECATED),
    ]  # fmt: skip

    assert [each.key for each in worth_telling(entries)] == ["r", "s", "a", "c", "f", "d"]


def test_at_most_twelve_are_told_and_none_that_says_nothing() -> None:
    entries = [entry("mute", "#12", references=("#12",)), entry("mail", "Write to ann@example.com")]
    entries += [entry(f"c{number}") for number in range(20)]

    assert [each.key for each in worth_telling(entries)] == [f"c{number}" for number in range(12)]


@pytest.mark.parametrize(
    "text",
    [
        "Baskets are kept for 30 days.",
        "The shop keeps a basket for 30 days now",
        "Baskets stay.",
        "Keep baskets! 30 days are fine.",
    ],
)
def test_a_sentence_in_other_words_is_kept(text: str) -> None:
    assert refusal(Sentence(text, ("c1",)), OFFERED) == ""


def test_a_sentence_may_word_two_entries() -> None:
    assert refusal(Sentence("Baskets live 30 days, and logins need v2 tokens.", ("c1", "c2")), OFFERED) == ""


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("", ("c1",)),
        ("...", ("c1",)),
        ("Baskets " + "x" * 400, ("c1",)),
        ("Baskets are kept.", ()),
        ("Baskets are kept.", ("c1", "c9")),
        ("Baskets are kept (#12).", ("c1",)),
        ("Baskets are kept, see shop/api#7.", ("c1",)),
        ("Baskets are kept, see #99.", ("c1",)),
        ("Baskets are kept, see issue 30.", ("c1",)),
        ("Baskets are kept, GH-30.", ("c1",)),
        ("Baskets are kept, see !30.", ("c1",)),
        ("Baskets are kept, # 30.", ("c1",)),
        ("Baskets are kept \uff03\uff13\uff10.", ("c1",)),
        ("Baskets: https://example.com.", ("c1",)),
        ("Baskets [are](kept).", ("c1",)),
        ("Baskets are <b>kept</b>.", ("c1",)),
        ("Baskets are kept, write to ann@example.com.", ("c1",)),
        ("Baskets are kept since 1f0e3dad99908345f7439f8ffabdffc4.", ("c1",)),
        ("Baskets are kept since 1f0e3da.", ("c1",)),
        ("Baskets are kept for 90 days.", ("c1",)),
        ("Baskets are kept for ninety days.", ("c1",)),
        ("Baskets are kept for 30 days from v2 on.", ("c1",)),
        ("Baskets are kept for 30% longer.", ("c1",)),
        ("Baskets are \u00bd as large.", ("c1",)),
        ("Baskets are kept.", ("c1", "c2")),
        ("Various improvements.", ("c1",)),
    ],
)
def test_a_sentence_that_says_more_or_nothing_is_refused(text: str, keys: tuple[str, ...]) -> None:
    assert refusal(Sentence(text, keys), OFFERED) != ""


def test_each_entry_is_told_once_in_the_order_of_the_entries() -> None:
    checked = check_sentences(
        [LOGIN, BASKET],
        [
            Sentence("A basket is kept for 30 days.", ("c1",)),
            Sentence("The basket is kept again.", ("c1",)),
            Sentence("Logins by password cost 5 euros.", ("c2",)),
        ],
        [Sentence("Drop logins by password.", ("c2",)), Sentence("Keep baskets for 30 days.", ("c1",))],
    )

    assert checked.sentences == (
        CheckedSentence("Drop logins by password.", ("c2",), builtin=True),
        CheckedSentence("A basket is kept for 30 days.", ("c1",), builtin=False),
    )
    assert checked.replaced_count == 2


def test_a_sentence_on_two_entries_stands_once() -> None:
    both = Sentence("Baskets live 30 days, and logins need v2 tokens.", ("c2", "c1"))

    checked = check_sentences([LOGIN, BASKET], [both], [])

    assert checked.sentences == (CheckedSentence(both.text, ("c2", "c1"), builtin=False),)
    assert checked.replaced_count == 0


def test_an_entry_is_told_in_its_own_words_when_nobody_words_it() -> None:
    checked = check_sentences([BASKET], [], [Sentence("See https://evil.example", ("c1",))])

    assert checked.sentences == (CheckedSentence("Keep baskets for 30 days.", ("c1",), builtin=True),)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("keep it (#12).", "Keep it."),
        ("keep [shop/api#7] it", "Keep it."),
        ("keep\u200b it\x07 all", "Keep it all."),
        ("see https://example.com/x for the basket", "See for the basket."),
        ("let `@cache` keep <key>", "Let `@cache` keep key."),
        ("#12", ""),
    ],
)
def test_the_own_words_of_an_entry_hold_no_reference(text: str, sentence: str) -> None:
    assert plain_sentence(entry("c1", text, references=("#12", "shop/api#7"))).text == sentence


def test_a_long_entry_is_cut_at_a_word() -> None:
    text = plain_sentence(entry("c1", "basket " * 100)).text

    assert len(text) <= 400
    assert text.endswith(" basket…")
