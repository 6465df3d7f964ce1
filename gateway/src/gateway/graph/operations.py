"""What an admin sees of the services' insides: events that a consumer gave up, to be handled again."""

from enum import Enum
from typing import Annotated, TypeAlias

import strawberry
from google.protobuf.timestamp_pb2 import Timestamp

from aiops.operations.v1 import dead_letter_pb2
from aiops.operations.v1 import operations_service_pb2 as pb
from gateway.context import Info
from gateway.graph.errors import ForbiddenError, NotFoundError, WriteRefusal
from gateway.graph.pagination import DEFAULT_PAGE_SIZE, Connection, connection, page_request
from gateway.graph.scalars import time_or_none
from gateway.graph.writes import WriteInput, idempotency_key


@strawberry.enum
class ServiceName(Enum):
    """A service of the installation."""

    AUTH = "auth"
    """Users, sessions, API tokens."""
    LOGS = "logs"
    """Logs, patterns, summaries."""
    TICKETS = "tickets"
    """Tickets and their triage."""
    CHANGELOG = "changelog"
    """Commits, changelogs, deployments."""
    AI = "ai"
    """Engines and their runs."""


@strawberry.type
class DeadLetter:
    """An event that a consumer gave up, kept by the service that it was for."""

    id: strawberry.ID
    """UUIDv7."""
    consumer: str
    """Durable name of the consumer that gave it up, such as `tickets-triage`."""
    subject: str
    """Subject of the event."""
    event_id: strawberry.ID | None
    """Id of the event; null when it could not be read."""
    aggregate_type: str | None
    """Kind of the thing that it is about, such as `log`; null when it could not be read."""
    aggregate_id: strawberry.ID | None
    """Id of that thing; null when it could not be read."""
    payload: str
    """What the event says as JSON, redacted; what could not be read as text."""
    error_class: str
    """Class of the last error, such as `LogNotFound`."""
    error_message: str
    """What it said, redacted."""
    attempts: int
    """How often the event was handled in vain."""
    trace_id: str
    """Trace of the last failure, which finds its log line."""
    created_at: Timestamp
    """When it was given up."""
    redrive_requested_at: Timestamp | None
    """When somebody asked to have it handled again; null when nobody waits for that."""
    redrive_requested_by: strawberry.ID | None
    """Id of the user who asked last; null when nobody has."""
    redrives: int
    """How often it was handled again."""
    redriven_at: Timestamp | None
    """When it took effect after all; null while it has not."""

    @classmethod
    def of(cls, letter: dead_letter_pb2.DeadLetter) -> "DeadLetter":
        """The letter as its service keeps it."""
        return cls(
            id=strawberry.ID(letter.id),
            consumer=letter.consumer,
            subject=letter.subject,
            event_id=strawberry.ID(letter.event_id) if letter.event_id else None,
            aggregate_type=letter.aggregate_type or None,
            aggregate_id=strawberry.ID(letter.aggregate_id) if letter.aggregate_id else None,
            payload=letter.payload_json,
            error_class=letter.error_class,
            error_message=letter.error_message,
            attempts=letter.attempts,
            trace_id=letter.trace_id,
            created_at=letter.created_at,
            redrive_requested_at=time_or_none(
                letter.redrive_requested_at, present=letter.HasField("redrive_requested_at")
            ),
            redrive_requested_by=strawberry.ID(letter.redrive_requested_by) if letter.redrive_requested_by else None,
            redrives=letter.redrives,
            redriven_at=time_or_none(letter.redriven_at, present=letter.HasField("redriven_at")),
        )


@strawberry.type
class OperationsQuery:
    """What the services keep for their operators."""

    @strawberry.field
    async def dead_letters(
        self,
        info: Info,
        service: ServiceName,
        *,
        consumer: str | None = None,
        include_redriven: bool = False,
        first: int = DEFAULT_PAGE_SIZE,
        after: str | None = None,
    ) -> Connection[DeadLetter] | None:
        """Events that consumers of a service gave up, newest first, 1 to 100 a page; for admins."""
        operations = info.context.operations(service.value)
        request = pb.ListDeadLettersRequest(
            page=page_request(first, after), consumer=consumer or "", include_redriven=include_redriven
        )
        response = await operations.call(operations.rpc.ListDeadLetters, request)
        return connection(response.dead_letters, response, DeadLetter.of, after)

    @strawberry.field
    async def dead_letter(self, info: Info, service: ServiceName, id: strawberry.ID) -> DeadLetter | None:  # noqa: A002
        """One event that a consumer of a service gave up; null when there is none with this id. For admins."""
        operations = info.context.operations(service.value)
        request = pb.BatchGetDeadLettersRequest(ids=[id])
        response = await operations.call(operations.rpc.BatchGetDeadLetters, request)
        return DeadLetter.of(response.dead_letters[0]) if response.dead_letters else None


@strawberry.input
class RedriveDeadLettersInput(WriteInput):
    """Letters of one service to handle again."""

    service: ServiceName
    """Whose letters."""
    ids: list[strawberry.ID]
    """Which letters, 1 to 1,000."""


@strawberry.type
class RedriveDeadLettersSuccess:
    """The wish is noted; the worker fulfils it within seconds."""

    dead_letters: list[DeadLetter]
    """The letters; those that took effect before stay as they are."""


RedriveDeadLettersResult: TypeAlias = Annotated[
    RedriveDeadLettersSuccess | WriteRefusal | NotFoundError | ForbiddenError,
    strawberry.union("RedriveDeadLettersResult", description="How `redriveDeadLetters` ends."),
]


@strawberry.type
class OperationsMutation:
    """What an operator asks of the services."""

    @strawberry.mutation
    async def redrive_dead_letters(self, info: Info, input: RedriveDeadLettersInput) -> RedriveDeadLettersResult:  # noqa: A002
        """Have events that were given up handled again, through the inbox: none has a second effect. For admins."""
        operations = info.context.operations(input.service.value)
        request = pb.RedriveDeadLettersRequest(idempotency_key=idempotency_key(info, input), ids=input.ids)
        response = await operations.call(operations.rpc.RedriveDeadLetters, request)
        return RedriveDeadLettersSuccess(dead_letters=[DeadLetter.of(letter) for letter in response.dead_letters])
