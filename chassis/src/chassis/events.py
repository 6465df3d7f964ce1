"""Facts as they travel: what a service says about one version of one aggregate, and the envelope around it.

It knows no broker and no table: `chassis.outbox` stores envelopes, `chassis.relay` publishes them.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from google.protobuf.message import Message

from aiops.events.v1.envelope_pb2 import Envelope
from chassis.identity import Actor, Call
from chassis.protos import actor_to_proto, moment_to_proto
from chassis.telemetry import current_trace_id, traceparent

_SUBJECT = re.compile(r"aiops\.[a-z_]+\.[a-z_]+\.[a-z_]+\.v(?P<version>[1-9][0-9]*)")
_DEAD_LETTER_SUBJECT = re.compile(r"aiops\.dlq\.[a-z_]+\.[a-z-]+")


def stream(service: str) -> str:
    """The stream of a service's facts: `aiops.<service>.>`."""
    return service.upper()


def dead_letter_stream(service: str) -> str:
    """The stream of what a service gave up: `aiops.dlq.<service>.>`."""
    return f"DLQ_{service.upper()}"


def dead_letter_subject(service: str, durable: str) -> str:
    """Where a consumer tells what it gave up."""
    return f"aiops.dlq.{service}.{durable}"


@dataclass(frozen=True)
class Event:
    """A fact about one version of one aggregate, ready to be published under its subject."""

    subject: str
    aggregate_type: str
    aggregate_id: UUID
    aggregate_version: int
    payload: Message

    @property
    def schema_version(self) -> int:
        """The N of the subject's `.vN`; 1 for dead letters, whose subjects have none.

        Raises:
            ValueError: the subject is not `aiops.<service>.<entity>.<past_tense>.v<N>`.
        """
        match = _SUBJECT.fullmatch(self.subject)
        if match is not None:
            return int(match["version"])
        if _DEAD_LETTER_SUBJECT.fullmatch(self.subject):
            return 1
        raise ValueError(f"{self.subject!r} is no subject; write aiops.<service>.<entity>.<past_tense>.v<N>")


def envelop(event: Event, *, event_id: UUID, producer: str, actor: Actor, at: datetime, call: Call | None) -> Envelope:
    """The envelope of an event: who, when, because of what, and on which trace."""
    return Envelope(
        id=str(event_id),
        occurred_at=moment_to_proto(at),
        type=event.payload.DESCRIPTOR.full_name,
        schema_version=event.schema_version,
        producer=producer,
        actor=actor_to_proto(actor.kind, actor.id),
        correlation_id=(call.correlation_id if call else "") or current_trace_id() or str(event_id),
        causation_id=call.causation_id if call else "",
        traceparent=traceparent(),
        aggregate_type=event.aggregate_type,
        aggregate_id=str(event.aggregate_id),
        aggregate_version=event.aggregate_version,
        payload=event.payload.SerializeToString(deterministic=True),
    )
