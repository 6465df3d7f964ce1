from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from chassis.errors import InvalidArgument
from chassis.ids import parse_id, parse_ids, uuid7

NOON = datetime(2026, 1, 5, 12, 0, 0, 123_000, tzinfo=UTC)


def test_ids_made_now_rise_strictly_and_carry_the_time() -> None:
    before = datetime.now(UTC)

    ids = [uuid7() for _ in range(20_000)]

    assert ids == sorted(set(ids))
    first, last = (datetime.fromtimestamp((id_.int >> 80) / 1000, UTC) for id_ in (ids[0], ids[-1]))
    assert before - timedelta(milliseconds=1) <= first <= last <= datetime.now(UTC)


def test_ids_do_not_fall_when_the_machines_clock_runs_backwards(monkeypatch: pytest.MonkeyPatch) -> None:
    first = uuid7()
    monkeypatch.setattr("chassis.ids.time.time_ns", lambda: 1_000_000_000_000_000_000)

    later = uuid7()

    assert later > first


def test_an_id_of_a_given_moment_has_version_variant_and_that_millisecond() -> None:
    ids = [uuid7(NOON) for _ in range(5_000)]

    assert ids == sorted(set(ids))
    parts = {(id_.version, id_.variant, id_.int >> 80) for id_ in ids}
    assert parts == {(7, "specified in RFC 4122", 1_767_614_400_123)}


def test_ids_of_the_future_do_not_push_those_of_now() -> None:
    uuid7(datetime(2099, 1, 1, tzinfo=UTC))

    assert uuid7().int >> 80 < datetime(2099, 1, 1, tzinfo=UTC).timestamp() * 1000


def test_an_id_is_read_from_its_canonical_spelling_in_either_case() -> None:
    text = "0198c0de-0000-7000-8000-00000000ABCD"

    assert parse_id(text, field="log_id") == UUID(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "0198c0de00007000800000000000abcd",
        "{0198c0de-0000-7000-8000-00000000abcd}",
        "urn:uuid:0198c0de-0000-7000-8000-00000000abcd",
        "0198c0de-0000-7000-8000-00000000abcd ",
        "0198c0de-0000-7000-8000-00000000abc\N{FULLWIDTH DIGIT ONE}",
        "' OR 1=1 --",
    ],
)
def test_any_other_text_is_an_invalid_argument(text: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        parse_id(text, field="log_id")

    assert refused.value.metadata == {"field": "log_id"}
    assert refused.value.message.startswith("this must be an id such as ")


def test_a_batch_of_ids_is_read_in_its_order_and_each_once() -> None:
    first, second = uuid7(), uuid7()

    assert parse_ids([str(second), str(first), str(second)]) == [second, first]
    assert len(parse_ids([str(uuid7()) for _ in range(1000)])) == 1000


@pytest.mark.parametrize(
    ("texts", "maximum", "said"),
    [
        (["x"], 1000, "this must be an id"),
        ([str(UUID(int=7))] * 3, 2, "ask for at most 2 ids at once, these are 3"),
        ([""] * 1001, 1000, "ask for at most 1,000 ids at once, these are 1,001"),
    ],
)
def test_another_batch_is_refused_under_its_field(texts: list[str], maximum: int, said: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        parse_ids(texts, field="log_ids", maximum=maximum)

    assert refused.value.message.startswith(said)
    assert refused.value.metadata == {"field": "log_ids"}
