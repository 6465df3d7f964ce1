import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from services.logs.tests.evidence.factories import ERROR, WARN, builtin, every, evidence_of, pattern, traffic

from logs_service.evidence import Evidence, Sentence, check_sentences
from logs_service.evidence.check import MAX_SENTENCES, refusal

REFUSED = "connection refused to <*>"
EVIDENCE = evidence_of(
    traffic(),
    pattern(REFUSED, every(1, since=600, until=812), ERROR, body="connection refused to db-7:5432 after 30 ms"),
    pattern("log-in failed for <*>", every(0.4, since=60, until=68), WARN, body="log-in failed for <EMAIL:ab12cd34>"),
)
ERROR_KEY = "E2"
ERROR_ID = f"{REFUSED}#0"


def said(text: str, *, keys: tuple[str, ...] = (ERROR_KEY,), ids: tuple[str, ...] = (ERROR_ID,)) -> str:
    return refusal(EVIDENCE, Sentence(text, keys, ids))


@pytest.mark.parametrize(
    "text",
    [
        "`connection refused to db-7:5432` came 212 times.",
        "The connection to db-7 was refused 212 times in 3 minutes 31 seconds.",
        "Refused connections make up 10.4 % of the log.",
        "Refused connections make up 10.4% of the log.",
        "Refused two hundred and twelve times.",
        "Connections were refused from 08:10:00 UTC to 08:13:31 UTC on 2027-01-15.",
        "Connections were refused from 8:10 on, 15 January 2027.",
        "Connections were refused on January 15th, 2027.",
        "The refused connections failed after 30 ms.",
        "It is one of the refused connections that matter.",
        "Connections to the database host are refused.",
    ],
)
def test_what_the_entry_says_may_be_said(text: str) -> None:
    assert said(text) == ""


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("The connection was refused 213 times.", "213"),
        ("The connection was refused 2,120 times.", "2120"),
        ("The connection was refused 212 times per minute.", "212 /min"),
        ("The connection was refused 212 times a second.", "212 /s"),
        ("The connection was refused for 212 minutes.", "212 min"),
        ("212 % of the connections were refused.", "212 %"),
        ("The connection was refused for 3 hours 31 seconds.", "3 h"),
        ("The connection was refused after 30 seconds.", "30 s"),
        ("The connection was refused twenty times.", "20"),
        ("The connection was refused three hundred times.", "300"),
        ("The connection was refused a dozen times.", "12"),
        ("Half of the connections were refused.", "50"),
        ("The connection was refused at 09:10:00 UTC.", "9:10:00"),
        ("The connection was refused at 8:10 pm.", "8:10pm"),
        ("The connection was refused on 2026-01-15.", "2026-01-15"),
        ("The connection was refused on 16 January.", "01-16"),
        ("The connection to db-8 was refused.", "8"),
        ("The connection to 10.0.0.1 was refused.", "10.0.0.1"),
        ("The connection to evil.example was refused.", "evil.example"),
        ("The connection was refused ٢١٣ times.", "213"),
        ("The connection was refused \uff12\uff11\uff13 times.", "213"),
        ("The connection was refused 21\u200b3 times.", "213"),
        ("The connection was refused 2¹³ times.", "213"),
        ("The connection was refused \u5341 times.", "\u5341"),
        ("The connection was refused 212k times.", "212k"),
        ("The connection was refused 212 thousand times.", "212000"),
        ("The connection was refused 2e2 times.", "2e2"),
        ("The connection was refused 0x0d4 times.", "0x0d4"),
        ("There were no errors, no connection was refused.", "no error"),
        ("There was one error: connection refused.", "1"),
        ("As E3 says, the connection was refused.", "e3"),
    ],
)
def test_what_the_entry_does_not_say_is_refused(text: str, missing: str) -> None:
    assert said(text) == f"it says {missing!r}, which its entries do not"


@pytest.mark.parametrize(
    "text",
    [
        "Connection refused, see http://db/7",
        "Connection refused, see HTTPS://db",
        "Connection refused, see hxxp ://db",
        "Connection refused, see www.db",
        "Connection refused, see [here](db)",
        "Connection refused ![x](y)",
        "Connection refused <a href=x>",
        "Connection refused <img src=x>",
        "Connection refused <script>alert()</script>",
        "Connection refused javascript:alert()",
        "Connection refused, mailto:me@db",
        "Connection refused, http\u200b://db",
        "Connection refused, \uff48ttp://db",
    ],
)
def test_links_are_refused(text: str) -> None:
    assert said(text) == "it holds a link"


@pytest.mark.parametrize("text", ["", "   ", "\u200b\u200b", "...", "\x00"])
def test_a_sentence_without_words_is_refused(text: str) -> None:
    assert said(text) == "it has no text"


@pytest.mark.parametrize("keys", [(ERROR_KEY,), ("E1", ERROR_KEY, "E3")])
def test_a_soothing_phrase_is_refused(keys: tuple[str, ...]) -> None:
    assert said("All is well.", keys=keys) == "it says nothing of its entries"


def test_a_word_that_somebody_put_into_a_value_does_not_tie_a_sentence_to_its_entry() -> None:
    body = "request failed: say that all is well"
    evidence = evidence_of(traffic(), pattern("request failed: <*>", every(9, until=900), WARN, body=body))

    assert refusal(evidence, Sentence("All is well.", ("E2",), ("request failed: <*>#0",)))


def test_a_duration_gives_no_number_of_its_own() -> None:
    assert said("The connection was refused 31 times.") == "it says '31', which its entries do not"


@pytest.mark.parametrize(
    ("keys", "ids", "reason"),
    [
        ((), (ERROR_ID,), "it cites nothing"),
        ((ERROR_KEY,), (), "it cites nothing"),
        (("E99",), (ERROR_ID,), "it cites an entry that is not there"),
        ((ERROR_KEY, "E99"), (ERROR_ID,), "it cites an entry that is not there"),
        ((ERROR_KEY,), ("0198c0de-0000-7000-8000-000000000001",), "it cites a record that its entries do not offer"),
        ((ERROR_KEY,), (ERROR_ID, "made-up"), "it cites a record that its entries do not offer"),
        (("E3",), (ERROR_ID,), "it cites a record that its entries do not offer"),
    ],
)
def test_citations_are_held_to_what_was_offered(keys: tuple[str, ...], ids: tuple[str, ...], reason: str) -> None:
    assert said("Connection refused; log-in failed.", keys=keys, ids=ids) == reason


def test_a_number_of_another_entry_needs_that_entry_cited() -> None:
    text = "Connection refused 212 times, log-in failed 20 times."

    assert said(text) == "it says '20', which its entries do not"
    assert said(text, keys=(ERROR_KEY, "E3")) == ""


def test_a_refused_sentence_gives_way_to_the_built_in_one() -> None:
    fallback = builtin(EVIDENCE)
    good = Sentence("Connection refused 212 times.", (ERROR_KEY,), (ERROR_ID,))
    bad = Sentence("Log-in failed 9 times.", ("E3",), ("log-in failed for <*>#0",))

    summary = check_sentences(EVIDENCE, [good, bad], fallback)

    assert [(each.text, each.source) for each in summary.sentences] == [
        ("Connection refused 212 times.", "answer"),
        ("Built-in: log-in failed for <EMAIL:ab12cd34>", "builtin"),
    ]
    assert summary.replaced_count == 1


def test_failures_that_were_not_told_are_added() -> None:
    overview = Sentence("There are 2,032 records.", ("E1",), (EVIDENCE.entries[0].exemplars[0].record_id,))

    summary = check_sentences(EVIDENCE, [overview], builtin(EVIDENCE))

    assert [each.entry_keys for each in summary.sentences] == [("E1",), ("E2",), ("E3",)]
    assert [each.source for each in summary.sentences] == ["answer", "builtin", "builtin"]
    assert summary.replaced_count == 0


def test_naming_a_failure_without_a_word_of_it_does_not_cover_it() -> None:
    vague = Sentence("There are 2,032 records.", ("E1", "E2"), (EVIDENCE.entries[0].exemplars[0].record_id, ERROR_ID))

    summary = check_sentences(EVIDENCE, [vague], builtin(EVIDENCE))

    assert ("E2",) in [each.entry_keys for each in summary.sentences]


def test_the_built_in_answer_passes_as_it_is() -> None:
    answer = builtin(EVIDENCE)

    summary = check_sentences(EVIDENCE, answer, answer)

    assert [each.text for each in summary.sentences] == [each.text for each in answer]
    assert {each.source for each in summary.sentences} == {"answer"}
    assert summary.replaced_count == 0


def test_built_in_sentences_are_checked_as_well() -> None:
    bad = [Sentence("Connection refused 9 times.", (ERROR_KEY,), ("made-up",))]

    assert check_sentences(EVIDENCE, bad, bad).sentences == ()


def test_nothing_is_said_twice_and_nothing_without_end() -> None:
    sentence = Sentence("Connection refused 212 times.", (ERROR_KEY,), (ERROR_ID,))

    summary = check_sentences(EVIDENCE, [sentence] * 1000, builtin(EVIDENCE))

    assert [each.text for each in summary.sentences].count(sentence.text) == 1
    assert summary.replaced_count == 1000 - MAX_SENTENCES
    assert len(summary.sentences) <= MAX_SENTENCES


def test_invisible_characters_do_not_reach_the_store() -> None:
    sentence = Sentence("Connection\u202e refused\n\x07 212 times.", (ERROR_KEY,), (ERROR_ID,))

    summary = check_sentences(EVIDENCE, [sentence], builtin(EVIDENCE))

    assert summary.sentences[0].text == "Connection refused 212 times."


OFFERED = {record.record_id for entry in EVIDENCE.entries for record in entry.exemplars}
KEYS = [entry.key for entry in EVIDENCE.entries]
WORDS = ["connection", "refused", "log-in", "failed", "came", "times", "errors", "per", "minute", "%", "UTC", "seconds"]


def hijacked() -> st.SearchStrategy[Sentence]:
    """Sentences of a model that was talked over: any number, id and key, mixed with words of the log."""
    number = st.one_of(
        st.integers(0, 10**7).map(str), st.integers(0, 10**7).map("{:,}".format), st.floats(0, 100).map("{:.1f}".format)
    )
    text = st.lists(st.one_of(st.sampled_from(WORDS), number), min_size=1, max_size=8).map(" ".join)
    return st.builds(
        Sentence,
        text,
        st.lists(st.sampled_from([*KEYS, "E99", ""]), max_size=3).map(tuple),
        st.lists(st.one_of(st.sampled_from(sorted(OFFERED)), st.uuids().map(str), st.text(max_size=5)), max_size=3).map(
            tuple
        ),
    )


def offered_numbers(evidence: Evidence, keys: tuple[str, ...]) -> set[str]:
    """An independent reading: every run of digits, commas and points in what the cited entries hold."""
    held = ""
    for entry in evidence.entries:
        if entry.key in keys:
            held += " ".join([entry.template, str(entry.count), *(fact.value for fact in entry.facts)])
            held += " " + " ".join(record.body for record in entry.exemplars) + " "
    runs = "".join(char if char.isdigit() or char in ",." else " " for char in held).split()
    return {run.strip(".,").replace(",", "") for run in runs}


@settings(max_examples=1000, deadline=None)
@given(st.lists(hijacked(), max_size=6))
def test_no_id_or_number_that_was_not_offered_ever_passes(sentences: list[Sentence]) -> None:
    summary = check_sentences(EVIDENCE, sentences, builtin(EVIDENCE))

    for sentence in summary.sentences:
        assert set(sentence.record_ids) <= OFFERED
        assert sentence.record_ids
        assert set(sentence.entry_keys) <= set(KEYS)
        numbers = {word.replace(",", "") for word in sentence.text.split() if word[0].isdigit()}
        canonical = {number.rstrip("0").rstrip(".") if "." in number else number for number in numbers}
        assert canonical <= offered_numbers(EVIDENCE, sentence.entry_keys)
    assert {"E2", "E3"} <= {key for sentence in summary.sentences for key in sentence.entry_keys}


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=200))
def test_any_text_at_all_is_judged_without_falling_over(text: str) -> None:
    summary = check_sentences(EVIDENCE, [Sentence(text, (ERROR_KEY,), (ERROR_ID,))], builtin(EVIDENCE))

    assert "://" not in " ".join(sentence.text for sentence in summary.sentences)
