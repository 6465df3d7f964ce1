"""What tests of tickets share: their types, and the services that tickets asks, over real gRPC."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from aiops.ai.v1 import ai_service_pb2 as ai_pb
from aiops.ai.v1.ai_service_pb2_grpc import AiServiceServicer
from aiops.ai.v1.run_pb2 import Engine, Run
from aiops.ai.v1.triage_pb2 import Choice, Reason, TextField
from aiops.auth.v1 import auth_service_pb2 as auth_pb
from aiops.auth.v1.auth_service_pb2_grpc import AuthServiceServicer
from aiops.auth.v1.user_pb2 import Role, User, UserStatus
from aiops.events.v1.envelope_pb2 import Envelope
from aiops.logs.v1 import logs_service_pb2 as logs_pb
from aiops.logs.v1.log_pb2 import Log
from aiops.logs.v1.logs_service_pb2_grpc import LogsServiceServicer
from aiops.tickets.v1.ticket_pb2 import Ticket as TicketMessage
from chassis.db import Database
from chassis.errors import DomainError, Forbidden, RemoteError
from chassis.identity import Role as ViewerRole
from chassis.identity import current_call
from chassis.ids import uuid7
from chassis.rpc.server import Context
from tickets_service.domain import Ticket
from tickets_service.values import (
    Audience,
    OptionKind,
    Reporter,
    TicketField,
    TriageDecision,
    Watcher,
)
from tickets_service.values import Choice as DomainChoice
from tickets_service.values import Reason as DomainReason

KEY = "key-0000000000000001"
UNKNOWN = "0198c0de-0000-7000-8000-000000000001"
MOMENT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
OPS = Watcher("user", "0198c0de-0000-7000-8000-00000000b001", "ops")
ADMIN = Watcher("user", "0198c0de-0000-7000-8000-00000000b002", "admin")
HR = Watcher("user", "0198c0de-0000-7000-8000-00000000b003", "hr")
NOBODY = Watcher("user", "0198c0de-0000-7000-8000-00000000b004")
MACHINE = Watcher("service_account", "0198c0de-0000-7000-8000-00000000b005")

Create = Callable[..., Awaitable[TicketMessage]]
Store = Callable[..., Awaitable[Ticket]]
Call = Callable[..., Awaitable[Any]]
Published = Callable[[Database], Awaitable[list[tuple[str, Envelope]]]]
Answer = Callable[[ai_pb.TriageTicketRequest], ai_pb.TriageTicketResponse]


def make_ticket(**changes: Any) -> Ticket:
    """A ticket of the domain, as it is after its creation."""
    values: dict[str, Any] = {
        "id": UUID("0198c0de-0000-7000-8000-00000000d001"),
        "version": 1,
        "title": "Checkout is down",
        "description": "The checkout returns 502 since 09:00.",
        "reporter": Reporter(external_name="Ada"),
        "source": "web",
        "external_reference": "",
        "service": "shop",
        "audience": Audience.GENERAL,
        "people_suspected": False,
        "created_by_kind": "user",
        "created_by_id": OPS.id,
        "created_at": MOMENT,
        "updated_at": MOMENT,
        "triage_requested_at": MOMENT,
    }
    return Ticket(**(values | changes))


WORD = DomainReason(TicketField.TITLE, 0, 8, "Checkout", "names a page")


def decision(**changes: Any) -> TriageDecision:
    """A decision of the built-in engine."""
    chosen = {
        kind.field: DomainChoice(key, 0.7, uncertain=False, reasons=(WORD,))
        for kind, key in zip(OptionKind, ("bug", "high", "development"), strict=True)
    }
    values = {
        "id": uuid7(), "engine": "builtin", "model": "", "prompt_version": 0, "run_id": "r", "fallback_reason": "",
        "people_suspected": False, "people_confidence": 0.0, "people_reasons": (), "ticket_version": 1,
        "created_at": MOMENT, **chosen,
    }  # fmt: skip
    return TriageDecision(**(values | changes))  # type: ignore[arg-type]


async def reason_of(awaitable: Awaitable[Any]) -> tuple[str, dict[str, str]]:
    """Why it is refused, and with which particulars."""
    with pytest.raises(RemoteError) as refused:
        await awaitable
    return refused.value.reason, refused.value.metadata


class ScriptedAi(AiServiceServicer):
    """Chooses the category bug for the first word of the title, unless told otherwise."""

    def __init__(self) -> None:
        self.target = ""
        self.requests: list[ai_pb.TriageTicketRequest] = []
        self.answer: Answer = first_word_answer
        self.errors: list[DomainError] = []
        """Raised first, one for each call."""
        self.gate: tuple[asyncio.Event, asyncio.Event] | None = None

    def answer_slowly(self, arrived: asyncio.Event, may_answer: asyncio.Event) -> list[ai_pb.TriageTicketRequest]:
        """Tell when a request has arrived, and answer when told; what is asked meanwhile."""
        self.gate = (arrived, may_answer)
        return self.requests

    async def TriageTicket(  # noqa: N802 - the proto's name
        self, request: ai_pb.TriageTicketRequest, _context: Context
    ) -> ai_pb.TriageTicketResponse:
        self.requests.append(request)
        if self.errors:
            raise self.errors.pop(0)
        if self.gate is not None:
            self.gate[0].set()
            await self.gate[1].wait()
        return self.answer(request)


def reason(request: ai_pb.TriageTicketRequest, *, explanation: str = "says what it is") -> Reason:
    """A reason that points at the first word of the title."""
    word = request.ticket.title.split()[0]
    return Reason(field=TextField.TEXT_FIELD_TITLE, start=0, end=len(word), quote=word, explanation=explanation)


def choice(request: ai_pb.TriageTicketRequest, value: str, confidence: float = 0.7) -> Choice:
    return Choice(value=value, confidence=confidence, reasons=[reason(request)])


def first_word_answer(request: ai_pb.TriageTicketRequest) -> ai_pb.TriageTicketResponse:
    return answer(request, category="bug", priority="normal", team="development")


def answer(
    request: ai_pb.TriageTicketRequest, *, category: str, priority: str, team: str, people: float = 0.0
) -> ai_pb.TriageTicketResponse:
    """An answer of the built-in engine; people is how sure it is that the matter is hr's."""
    response = ai_pb.TriageTicketResponse(
        run=Run(id="0198c0de-0000-7000-8000-00000000a1a1", task="triage_ticket", engine=Engine.ENGINE_BUILTIN),
        category=choice(request, category),
        priority=choice(request, priority),
        team=choice(request, team),
    )
    if people:
        response.people.suspected, response.people.confidence = True, people
        response.people.reasons.append(reason(request))
    return response


class KnownUsers(AuthServiceServicer):
    """Auth with a few accounts."""

    def __init__(self) -> None:
        self.target = ""
        self.stop: Callable[[], Awaitable[None]]
        self.callers: list[str] = []
        self.users: dict[str, User] = {}

    def add(self, role: str, *, active: bool = True) -> str:
        """A new account; its id."""
        user_id = str(uuid7())
        status = UserStatus.USER_STATUS_ACTIVE if active else UserStatus.USER_STATUS_DEACTIVATED
        self.users[user_id] = User(id=user_id, role=Role.Value(f"ROLE_{role.upper()}"), status=status)
        return user_id

    async def BatchGetUsers(  # noqa: N802
        self, request: auth_pb.BatchGetUsersRequest, _context: Context
    ) -> auth_pb.BatchGetUsersResponse:
        self.callers.append(current_call().actor.kind)
        return auth_pb.BatchGetUsersResponse(users=[self.users[id_] for id_ in request.ids if id_ in self.users])


class KnownLogs(LogsServiceServicer):
    """Logs with a few logs, for admin and ops."""

    def __init__(self) -> None:
        self.target = ""
        self.stop: Callable[[], Awaitable[None]]
        self.ids: set[str] = set()

    def add(self) -> str:
        """A new log; its id."""
        log_id = str(uuid7())
        self.ids.add(log_id)
        return log_id

    async def BatchGetLogs(  # noqa: N802
        self, request: logs_pb.BatchGetLogsRequest, _context: Context
    ) -> logs_pb.BatchGetLogsResponse:
        viewer = current_call().viewer
        if viewer is None or viewer.role not in {ViewerRole.ADMIN, ViewerRole.OPS}:
            raise Forbidden
        return logs_pb.BatchGetLogsResponse(logs=[Log(id=id_) for id_ in request.ids if id_ in self.ids])
