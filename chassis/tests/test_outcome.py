"""The one line that is logged of an RPC: enough for an on-call, and no word of what was sent."""

import logging

import pytest

from chassis.errors import DomainError, InvalidArgument, Unavailable
from chassis.metrics import Metrics
from chassis.rpc.outcome import Outcome


def logged_fields(error: DomainError, caplog: pytest.LogCaptureFixture) -> dict[str, object]:
    """What is logged of an RPC that ended in this error, raised from another one."""
    try:
        raise error from ValueError("no zone has the key hunter2")
    except DomainError as refusal:
        outcome = Outcome("CreateParcel", write=True)
        outcome.refused(refusal)
    with caplog.at_level(logging.INFO, "chassis.rpc.outcome"), outcome.recorded(Metrics(), slow_seconds=1):
        pass
    return vars(caplog.records[-1])


def test_refusal_of_a_request_names_its_cause_without_quoting_it(caplog: pytest.LogCaptureFixture) -> None:
    fields = logged_fields(InvalidArgument("name a zone", field="zone"), caplog)

    assert (fields["reason"], fields["detail"], fields["cause"]) == ("INVALID_ARGUMENT", "name a zone", "ValueError")
    assert "hunter2" not in str(fields)


def test_trouble_of_our_own_is_logged_with_the_words_of_its_cause(caplog: pytest.LogCaptureFixture) -> None:
    fields = logged_fields(Unavailable(dependency="postgres"), caplog)

    assert fields["cause"] == repr(ValueError("no zone has the key hunter2"))
