"""What ai's built-in engine says passes the check of logs, whatever the log; the two meet only on the wire."""

from __future__ import annotations

from dataclasses import asdict

from hypothesis import given, settings
from hypothesis import strategies as st

from ai_service.domain import Evidence as WordedEvidence
from ai_service.engines import builtin
from logs_service.evidence import Evidence, Exemplar, LogStats, PatternStats, Sentence, build_evidence, check_sentences
from logs_service.evidence.check import refusal

START = 1_800_000_000
NANOSECONDS = 1_000_000_000
WORDS = st.sampled_from(
    [
        "connection",
        "refused",
        "to",
        "host",
        "10.0.0.1:443",
        "log-in",
        "failed",
        "for",
        "<EMAIL:ab12cd34>",
        "took",
        "30",
        "ms",
        "1,024",
        "bytes",
        "error=0",
        "v2.3.1",
        "blk_-1608",
        "2026-01-05",
        "09:12:03",
        "http://a.example/x",
        "[client",
        "1]",
        "`x`",
        "50%",
        "twenty",
        "no",
        "errors",
        "www.example.com",
        "007",
        "1e9",
        "½",
        "<script>",
        "](x)",
        "user=root;",
        "retry",
        "in",
        "3",
        "s",
        "NATS",
        "reconnected",
        "after",
        "10.2",
        "s",
        "0x1f",
        "…",
        "javascript:alert(1)",
        "half",
    ]
)
BODIES = st.lists(WORDS, min_size=1, max_size=30).map(" ".join)
SEVERITIES = st.sampled_from([0, 1, 5, 9, 13, 17, 21])


@st.composite
def patterns(draw: st.DrawFn) -> PatternStats:
    body, other = draw(BODIES), draw(BODIES)
    kept = draw(st.lists(st.booleans(), min_size=30, max_size=30))
    words = body.split()
    template = " ".join(word if keep else "<*>" for word, keep in zip(words, kept, strict=False))
    count = draw(st.integers(1, 3000))
    mixed = draw(st.integers(0, count))
    severities = {draw(SEVERITIES): count - mixed, 9: mixed} if mixed < count else {9: count}
    first = (START + draw(st.integers(0, 200_000))) * NANOSECONDS + draw(st.integers(0, NANOSECONDS - 1))
    last = first + draw(st.integers(0, 3600)) * NANOSECONDS * (count > 1)
    timed = draw(st.booleans())
    bucket = first // NANOSECONDS // 10 * 10
    buckets = {bucket: count - 1, last // NANOSECONDS // 10 * 10: 1} if count > 1 else {bucket: 1}
    records = [(first, body), (last, other)] if count > 1 else [(first, body)]
    return PatternStats(
        pattern_id="",
        template=template,
        count=count,
        severities=severities,
        first_time=first if timed else None,
        last_time=last if timed else None,
        buckets=buckets if timed else {},
        exemplars=[
            Exemplar(f"{draw(st.uuids())}", time if timed else None, text, draw(st.integers(1, 10**6)))
            for time, text in records
        ],
        new_for_service=draw(st.booleans()),
    )


def words_of_the_built_in_engine(evidence: Evidence) -> list[Sentence]:
    return [
        Sentence(said.text, said.entry_keys, said.record_ids)
        for said in builtin.word_entries(WordedEvidence.from_mapping(asdict(evidence)))
    ]


@settings(max_examples=200, deadline=None)
@given(st.lists(patterns(), min_size=1, max_size=8), st.sampled_from([1, 10, 60, 3600]))
def test_every_built_in_sentence_passes_the_check(found: list[PatternStats], bucket_seconds: int) -> None:
    log = LogStats("log", "api", sum(each.count for each in found), bucket_seconds, found)

    evidence = build_evidence(log)
    said = words_of_the_built_in_engine(evidence)

    assert [why for each in said if (why := refusal(evidence, each, builtin=True))] == []
    summary = check_sentences(evidence, said[: builtin.MAX_SENTENCES], said)
    assert summary.replaced_count == 0
    assert {key for each in summary.sentences for key in each.entry_keys} >= {
        entry.key for entry in evidence.entries if entry.kind.name == "ERROR"
    }
