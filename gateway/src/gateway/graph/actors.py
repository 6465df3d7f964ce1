"""Who did something, as every service says it."""

from enum import Enum

import strawberry

from aiops.common.v1 import actor_pb2
from gateway.graph.enums import name_or_none


@strawberry.enum
class ActorKind(Enum):
    """What sort of principal did something."""

    USER = actor_pb2.ACTOR_KIND_USER
    """A person."""
    SERVICE_ACCOUNT = actor_pb2.ACTOR_KIND_SERVICE_ACCOUNT
    """A machine that holds an API token."""
    SERVICE = actor_pb2.ACTOR_KIND_SERVICE
    """One of the system's own services."""


@strawberry.type
class Actor:
    """Who did something."""

    kind: ActorKind
    """The sort of principal; SERVICE when it is of a sort that the graph does not know."""
    id: strawberry.ID
    """Id of the user or service account; a service's name."""

    @classmethod
    def of(cls, actor: actor_pb2.Actor) -> "Actor":
        """The actor as the service stored it."""
        return cls(kind=name_or_none(ActorKind, actor.kind) or ActorKind.SERVICE, id=strawberry.ID(actor.id))


def user_id_of(actor: actor_pb2.Actor) -> str | None:
    """The user's id when it was a person."""
    return actor.id if actor.kind == actor_pb2.ACTOR_KIND_USER else None
