"""What a redactor promises: values go, everything else stays, and it refuses rather than guesses."""

import logging

import pytest

from chassis.redaction import Finding, Kind, RedactionFailed, Redactor

KEY = b"0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def redactor() -> Redactor:
    return Redactor()


def test_a_finding_carries_original_offsets_and_its_replacement(redactor: Redactor) -> None:
    text = "mail from ann@example.org via 192.0.2.7"

    findings = redactor.find(text)

    assert findings == [Finding(10, 25, Kind.EMAIL, "<EMAIL>"), Finding(30, 39, Kind.IP, "<IP>")]
    assert redactor.redact(text) == "mail from <EMAIL> via <IP>"


def test_with_a_key_one_value_always_becomes_the_same_token() -> None:
    first, second, other = Redactor(KEY), Redactor(KEY), Redactor(KEY[::-1])

    tokens = {r.redact("Ann@Example.org") for r in (first, second)} | {first.redact("ann@example.org")}

    assert len(tokens) == 1
    assert tokens != {other.redact("ann@example.org")}
    assert first.redact("ann@example.org") != first.redact("bob@example.org")


def test_every_spelling_of_an_address_is_one_token() -> None:
    redactor = Redactor(KEY)

    assert redactor.redact("from 2001:DB8:0:0:0:0:0:7") == redactor.redact("from 2001:db8::7")
    assert redactor.redact("from 192.000.002.007") == redactor.redact("from 192.0.2.7")
    assert redactor.redact("ip-192-0-2-7.internal.example") == redactor.redact("192.0.2.7")


def test_secrets_never_carry_a_suffix() -> None:
    assert Redactor(KEY).redact("password=hunter2 card 4111111111111111") == "password=<PASSWORD> card <CARD>"


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 16 bytes"):
        Redactor(b"short")


def test_existing_tokens_are_left_alone() -> None:
    text = "user=<USER:ab12cd34> from <IP:ab12cd34> password=<PASSWORD> key <TOKEN>"

    assert Redactor(KEY).redact(text) == text


def test_text_beyond_the_limit_is_refused(redactor: Redactor) -> None:
    with pytest.raises(RedactionFailed, match="split it at line ends"):
        redactor.redact("a" * ((16 << 20) + 1))


def test_what_is_not_text_is_refused(redactor: Redactor) -> None:
    with pytest.raises(RedactionFailed, match="expected text, got bytes"):
        redactor.redact(b"password=hunter2")  # type: ignore[arg-type]


def test_a_broken_detector_lets_nothing_through(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    redactor = Redactor()

    def broken(_: bytes) -> list[int]:
        raise MemoryError("password=hunter2")

    monkeypatch.setattr(redactor._triggers, "fired", broken)
    with caplog.at_level(logging.DEBUG), pytest.raises(RedactionFailed) as refused:
        redactor.redact("password=hunter2")

    assert "hunter2" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert caplog.text == ""


def test_an_automaton_that_gives_up_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    class Mute:
        def Match(self, _: bytes) -> list[int]:  # noqa: N802 - the name in RE2
            return []

    redactor = Redactor()
    monkeypatch.setattr(redactor._triggers, "_groups", [(Mute(), 0)])

    with pytest.raises(RedactionFailed, match="a detector failed: RuntimeError"):
        redactor.redact("password=hunter2")


def test_a_text_that_keeps_changing_is_dropped_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.redaction.redactor._MAX_ROUNDS", 1)
    redactor = Redactor()

    assert redactor.redact("password=hunter2 and more") == "<REDACTED>"
    assert redactor.find("password=hunter2 and more") == [Finding(0, 25, Kind.REDACTED, "<REDACTED>")]


def test_mapping_values_go_by_the_name_of_their_key(redactor: Redactor) -> None:
    attributes: dict[str, object] = {
        "X-Api-Key": "abc",
        "accessToken": 12345,
        "set-cookie": ["a=b", "c=d"],
        "db": {"PASSWORD": {"old": "x", "new": "y"}, "host": "db1", "port": 5432},
        "username": "Ann Lee",
        "client": ("192.0.2.7", 443),
        "card": 4111111111111111,
        "max_tokens": 512,
        "token_count": 7,
        "retry": True,
        "nothing": None,
        "ratio": 0.5,
    }

    assert redactor.redact_mapping(attributes) == {
        "X-Api-Key": "<TOKEN>",
        "accessToken": "<TOKEN>",
        "set-cookie": "<TOKEN>",
        "db": {"PASSWORD": "<PASSWORD>", "host": "db1", "port": 5432},
        "username": "<USER>",
        "client": ["<IP>", 443],
        "card": "<CARD>",
        "max_tokens": 512,
        "token_count": 7,
        "retry": True,
        "nothing": None,
        "ratio": 0.5,
    }


def test_mapping_leaves_the_input_unchanged(redactor: Redactor) -> None:
    inner: dict[str, object] = {"password": "x"}
    attributes: dict[str, object] = {"inner": inner}

    redactor.redact_mapping(attributes)

    assert attributes == {"inner": {"password": "x"}}


def test_a_mapping_that_holds_itself_ends(redactor: Redactor) -> None:
    attributes: dict[str, object] = {"password": "hunter2"}
    attributes["self"] = attributes

    assert "hunter2" not in repr(redactor.redact_mapping(attributes))


def test_web_addresses_stay_in_logs_and_go_from_prose() -> None:
    text = "see https://shop.example/basket?id=7."

    assert Redactor().redact(text) == text
    assert Redactor(web_addresses=True).redact(text) == "see <URL>."


def test_the_redactor_for_prose_gives_the_same_tokens() -> None:
    logs = Redactor(KEY)
    prose = logs.for_prose()

    assert prose.redact("ann@example.org") == logs.redact("ann@example.org")
    assert prose.redact("at http://a.example/b").startswith("at <URL:")
    assert logs.redact("at http://a.example/b") == "at http://a.example/b"
