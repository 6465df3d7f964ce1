from datetime import UTC, datetime

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from aiops.common.v1.actor_pb2 import Actor, ActorKind
from chassis.errors import InvalidArgument
from chassis.protos import actor_to_proto, moment_from, moment_to_proto


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("user", ActorKind.ACTOR_KIND_USER),
        ("service_account", ActorKind.ACTOR_KIND_SERVICE_ACCOUNT),
        ("service", ActorKind.ACTOR_KIND_SERVICE),
    ],
)
def test_an_actor_has_kind_and_id(kind: str, number: ActorKind.ValueType) -> None:
    assert actor_to_proto(kind, "7") == Actor(kind=number, id="7")


def test_another_kind_of_actor_is_a_defect() -> None:
    with pytest.raises(KeyError):
        actor_to_proto("robot", "7")


def test_a_moment_comes_back_to_the_microsecond_and_none_stays_absent() -> None:
    moment = datetime(2026, 1, 5, 12, 0, 0, 123_456, tzinfo=UTC)

    timestamp = moment_to_proto(moment)

    assert timestamp == Timestamp(seconds=1_767_614_400, nanos=123_456_000)
    assert moment_from(timestamp, field="at") == moment
    assert moment_to_proto(None) is None


@pytest.mark.parametrize("seconds", [-(2**60), -62_135_596_801, 253_402_300_800, 2**60])
def test_a_moment_of_no_year_is_refused_under_its_field(seconds: int) -> None:
    with pytest.raises(InvalidArgument) as refused:
        moment_from(Timestamp(seconds=seconds), field="expires_at")

    assert refused.value.message == "this moment does not exist; send a time between the years 1 and 9999"
    assert refused.value.metadata == {"field": "expires_at"}
