"""What every service offers to whoever operates it: its dead letters, and the wish to have them handled again.

For admins alone. The wish is a row; the worker of the consumer fulfils it (`chassis.redrive`).
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import grpc
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError, Message
from sqlalchemy import Row, and_, select, true, update

from aiops.events.v1.envelope_pb2 import Envelope
from aiops.operations.v1 import operations_service_pb2 as pb
from aiops.operations.v1.dead_letter_pb2 import DeadLetter
from aiops.operations.v1.operations_service_pb2_grpc import add_OperationsServiceServicer_to_server
from chassis.audit import Seen
from chassis.db import UnitOfWork, WriteTx, among
from chassis.dead_letters import dead_letters
from chassis.delivery import Subscription
from chassis.errors import DeadLetterNotFound, InvalidArgument
from chassis.identity import Role
from chassis.ids import parse_ids
from chassis.masking import Kind, fields, rows, seen_by, table
from chassis.paging import Page, Slice, decode_cursor, encode_cursor, page_from, page_info
from chassis.policy import allow
from chassis.protos import moment_to_proto

RULES = {
    name: allow("gateway", roles=(Role.ADMIN,))
    for name in ("ListDeadLetters", "BatchGetDeadLetters", "RedriveDeadLetters")
}
_ADMINS = seen_by(Kind.ADMIN)
TABLE = table(
    fields(
        "aiops.operations.v1",
        {
            "DeadLetter": rows(
                _ADMINS,
                "id consumer subject stream stream_sequence event_id aggregate_type aggregate_id payload_json "
                "error_class error_message attempts trace_id created_at redrive_requested_at redrive_requested_by "
                "redrives redriven_at",
            ),
            "ListDeadLettersResponse": rows(_ADMINS, "dead_letters cursors page_info"),
            "BatchGetDeadLettersResponse RedriveDeadLettersResponse": rows(_ADMINS, "dead_letters"),
        },
    )
)
"""Beside every service's own."""
SIGHTINGS = dict.fromkeys(
    ("ListDeadLetters", "BatchGetDeadLetters"),
    (Seen("dead_letter.seen", "dead_letter", lambda _, answer: (letter.id for letter in answer.dead_letters)),),
)
"""A letter holds what no policy of fields knows."""
_WAITS = dead_letters.c.redriven_at.is_(None)


class OperationsServicer:
    """The dead letters of one service."""

    def __init__(self, unit_of_work: UnitOfWork, subscriptions: Sequence[Subscription]) -> None:
        self._unit_of_work = unit_of_work
        self._messages = {subscription.durable: subscription.message for subscription in subscriptions}

    def register(self, server: grpc.aio.Server) -> None:
        """Answer on this server."""
        add_OperationsServiceServicer_to_server(self, server)  # type: ignore[arg-type]  # answers alike, unsubclassed

    async def ListDeadLetters(  # noqa: N802 - the proto's name
        self, request: pb.ListDeadLettersRequest, _context: Any
    ) -> pb.ListDeadLettersResponse:
        """One page, the newest first."""
        page = page_from(request.page)
        letters = dead_letters.c
        wanted = letters.consumer == request.consumer if request.consumer else true()
        async with self._unit_of_work.database.read() as tx:
            slice_ = await self._page(tx, page, and_(wanted, true() if request.include_redriven else _WAITS))
        return pb.ListDeadLettersResponse(
            dead_letters=[self._to_proto(row) for row in slice_.items],
            cursors=slice_.cursors,
            page_info=page_info(slice_),
        )

    async def BatchGetDeadLetters(  # noqa: N802
        self, request: pb.BatchGetDeadLettersRequest, _context: Any
    ) -> pb.BatchGetDeadLettersResponse:
        """Those that exist."""
        ids = parse_ids(request.ids)
        async with self._unit_of_work.database.read() as tx:
            rows = await tx.fetch_all(select(dead_letters).where(among(dead_letters.c.id, ids)))
        return pb.BatchGetDeadLettersResponse(dead_letters=[self._to_proto(row) for row in rows])

    async def RedriveDeadLetters(  # noqa: N802
        self, request: pb.RedriveDeadLettersRequest, _context: Any
    ) -> pb.RedriveDeadLettersResponse:
        """Note the wish, once per idempotency key; letters that took effect after all stay as they are."""

        async def effect(tx: WriteTx) -> pb.RedriveDeadLettersResponse:
            return await self._ask(request, tx)

        return await self._unit_of_work.once(request, pb.RedriveDeadLettersResponse, effect)

    async def _page(self, tx: Any, page: Page, condition: Any) -> Slice[Row[Any]]:
        letters = dead_letters.c
        query = select(dead_letters).where(condition).order_by(letters.id.desc()).limit(page.first + 1)
        if page.after:
            (last,) = decode_cursor(page.after, UUID)
            query = query.where(letters.id < last)
        rows = await tx.fetch_all(query)
        shown = tuple(rows[: page.first])
        return Slice(shown, tuple(encode_cursor(str(row.id)) for row in shown), len(rows) > page.first)

    async def _ask(self, request: pb.RedriveDeadLettersRequest, tx: WriteTx) -> pb.RedriveDeadLettersResponse:
        ids = parse_ids(request.ids)
        if not ids:
            raise InvalidArgument("name at least one dead letter", field="ids")
        letters = dead_letters.c
        asked_for = select(dead_letters).where(among(letters.id, ids))
        # In one order: two admins who ask for the same letters wait for each other, and do not block.
        rows = await tx.fetch_all(asked_for.order_by(letters.id).with_for_update())
        found = {row.id: row for row in rows}
        for id_ in ids:
            if id_ not in found:
                raise DeadLetterNotFound(f"no dead letter here has the id {id_}", field="ids", id=str(id_))
            consumer = found[id_].consumer
            if consumer not in self._messages and found[id_].redriven_at is None:
                raise InvalidArgument(
                    f"the dead letter {id_} is of {consumer}, which this version of the service no longer has",
                    field="ids",
                )
        asked = update(dead_letters).where(among(letters.id, ids), _WAITS)
        await tx.execute(asked.values(redrive_requested_at=tx.now, redrive_requested_by=tx.actor.id))
        await tx.audit("dead_letter.redriven", subject_type="dead_letter", subject_ids=ids)
        rows = await tx.fetch_all(asked_for)
        now = {row.id: row for row in rows}
        return pb.RedriveDeadLettersResponse(dead_letters=[self._to_proto(now[id_]) for id_ in ids])

    def _to_proto(self, row: Row[Any]) -> DeadLetter:
        envelope, payload = _opened(row.payload, self._messages.get(row.consumer))
        return DeadLetter(
            id=str(row.id),
            consumer=row.consumer,
            subject=row.subject,
            stream=row.stream,
            stream_sequence=row.stream_sequence,
            event_id=str(row.event_id or ""),
            aggregate_type=envelope.aggregate_type,
            aggregate_id=envelope.aggregate_id,
            payload_json=payload,
            error_class=row.error_class,
            error_message=row.error_message,
            attempts=row.attempts,
            trace_id=row.trace_id,
            created_at=moment_to_proto(row.created_at),
            redrive_requested_at=moment_to_proto(row.redrive_requested_at),
            redrive_requested_by=row.redrive_requested_by,
            redrives=row.redrives,
            redriven_at=moment_to_proto(row.redriven_at),
        )


def _opened(data: bytes, message: type[Message] | None) -> tuple[Envelope, str]:
    """The envelope, and the payload as a person reads it; an empty envelope around what is no event."""
    try:
        envelope = Envelope.FromString(data)
        if message is None or envelope.type != message.DESCRIPTOR.full_name:
            return Envelope(), json.dumps(data.decode(errors="replace"))
        payload: Mapping[str, Any] = MessageToDict(message.FromString(envelope.payload))
    except DecodeError:
        return Envelope(), json.dumps(data.decode(errors="replace"))
    return envelope, json.dumps(payload, ensure_ascii=False)
