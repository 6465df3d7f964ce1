"""What the messages of every service have in common: who did something, and when.

It knows no service's own messages; those are converted in the service's `convert`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from aiops.common.v1.actor_pb2 import Actor, ActorKind
from chassis.errors import InvalidArgument

_ACTOR_KINDS: Mapping[str, ActorKind.ValueType] = {
    "user": ActorKind.ACTOR_KIND_USER,
    "service_account": ActorKind.ACTOR_KIND_SERVICE_ACCOUNT,
    "service": ActorKind.ACTOR_KIND_SERVICE,
}


def actor_to_proto(kind: str, id_: str) -> Actor:
    """Who did it: a user, a service account or a service.

    Raises:
        KeyError: there is no such kind.
    """
    return Actor(kind=_ACTOR_KINDS[kind], id=id_)


def moment_to_proto(moment: datetime | None) -> Timestamp | None:
    """A moment; None stays absent."""
    if moment is None:
        return None
    timestamp = Timestamp()
    timestamp.FromDatetime(moment)
    return timestamp


def moment_from(timestamp: Timestamp, *, field: str) -> datetime:
    """The moment that a request's field holds.

    Raises:
        InvalidArgument: it is none that exists.
    """
    try:
        return timestamp.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidArgument(
            "this moment does not exist; send a time between the years 1 and 9999", field=field
        ) from error
