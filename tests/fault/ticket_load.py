"""People who write tickets through whichever version answers, and remember what they were told."""

import asyncio
import random
import string
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from google.protobuf.message import Message

from aiops.tickets.v1 import tickets_service_pb2 as pb
from aiops.tickets.v1.ticket_pb2 import Ticket
from aiops.tickets.v1.tickets_service_pb2_grpc import TicketsServiceStub
from chassis.errors import DomainError, RemoteError
from chassis.ids import uuid7
from chassis.rpc.client import Client
from chassis.testing.harness import Installation

if TYPE_CHECKING:
    import grpc

    from aiops.tickets.v1.tickets_service_pb2_grpc import TicketsServiceAsyncStub

Req = TypeVar("Req", bound=Message)
Res = TypeVar("Res", bound=Message)

PRIORITIES = {"low": 1, "normal": 2, "high": 3, "urgent": 4}
PAUSE_SECONDS = 0.1
CONFLICTS = 20
"""Triage writes too: so often at most somebody reads again and decides again."""


@dataclass(frozen=True)
class Line:
    """A way to the service, and whether a new version is certain to be at its end."""

    name: str
    client: Client
    new: bool = False

    @property
    def tickets(self) -> "TicketsServiceAsyncStub":
        """The service at its end."""
        return TicketsServiceStub(self.client.channel)


@dataclass
class Known:
    """What somebody was told of a ticket."""

    words: str
    priority: str
    version: int


@dataclass
class Load:
    """Writers on the lines of the moment; `errors` and `mismatches` stay empty when all is well."""

    installation: Installation
    lines: list[Line]
    renamed: bool = False
    """Whether the schema has the new fields: a new version is then asked for both, and told either."""
    known: dict[str, Known] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    mismatches: list[str] = field(default_factory=list)
    requests: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Answered requests by phase and line."""
    seconds: dict[str, list[float]] = field(default_factory=dict)
    """How long each took, by phase."""
    phase: str = ""
    _stopping: bool = False

    @asynccontextmanager
    async def running(self, writers: int = 4) -> AsyncIterator[None]:
        """Writers at work for the block, which ends when each has finished what it began."""
        tasks = [asyncio.ensure_future(self._write()) for _ in range(writers)]
        try:
            yield
        finally:
            self._stopping = True
            await asyncio.gather(*tasks)

    def p99_seconds(self, phase: str) -> float:
        """What 99 of 100 requests of a phase took at most."""
        taken = sorted(self.seconds[phase])
        return taken[int(len(taken) * 0.99)]

    async def lost(self, line: Line) -> list[str]:
        """Acknowledged tickets that are not there, or not as they were acknowledged."""
        found: dict[str, Ticket] = {}
        ids = list(self.known)
        for start in range(0, len(ids), 100):
            for ticket in await self.read(line, *ids[start : start + 100]):
                found[ticket.id] = ticket
        missing = [f"{id_} is not there" for id_ in ids if id_ not in found]
        return missing + [told for id_, ticket in found.items() for told in self._differences(line, ticket, id_)]

    async def _write(self) -> None:
        while not self._stopping:
            phase = self.phase
            try:
                await self._one_ticket()
            except DomainError as error:
                self.errors.append(f"{phase}: {error!r}, because of {error.__cause__}")
            await asyncio.sleep(PAUSE_SECONDS)

    async def _one_ticket(self) -> None:
        """Write one, change its priority, and read it."""
        line, key = self._line(), str(uuid7())
        # Letters alone: the old version's redaction takes now and then the digits that end an id for a telephone.
        host = "".join(random.choices(string.ascii_lowercase, k=20))  # noqa: S311 - no secret
        words, priority = f"The disk of host {host} is full", random.choice(list(PRIORITIES))  # noqa: S311 - no secret
        created = pb.CreateTicketRequest(idempotency_key=key, title=f"Disk {host}", priority=priority)
        setattr(created, "description" if self._speaks_new(line) else "message", words)
        ticket = (await self._ask(line, line.tickets.CreateTicket, created)).ticket
        self.known[ticket.id] = Known(words, priority, ticket.version)
        await self.change_priority(ticket)
        line = self._line()
        for read in await self.read(line, ticket.id):
            self.mismatches += self._differences(line, read, ticket.id)

    async def change_priority(self, ticket: Ticket) -> None:
        """Give a ticket another priority, or the same; decided again as often as somebody else was faster."""
        priority = random.choice(list(PRIORITIES))  # noqa: S311 - no secret
        for _ in range(CONFLICTS):
            line = self._line()
            update = pb.UpdateTicketRequest(
                idempotency_key=str(uuid7()), ticket_id=ticket.id, expected_version=ticket.version
            )
            new = self._speaks_new(line)
            setattr(update, "priority_level" if new else "priority", PRIORITIES[priority] if new else priority)
            try:
                updated = (await self._ask(line, line.tickets.UpdateTicket, update)).ticket
            except RemoteError as error:
                if error.reason != "VERSION_CONFLICT":
                    raise
                (ticket,) = await self.read(self._line(), ticket.id)
            else:
                self.known[ticket.id] = Known(self.known[ticket.id].words, priority, updated.version)
                return
        self.errors.append(f"{self.phase}: {ticket.id} had a conflict {CONFLICTS} times")

    async def read(self, line: Line, *ids: str) -> list[Ticket]:
        """These tickets, as a line shows them."""
        answer = await self._ask(line, line.tickets.BatchGetTickets, pb.BatchGetTicketsRequest(ids=ids))
        return list(answer.tickets)

    async def _ask(self, line: Line, method: "grpc.aio.UnaryUnaryMultiCallable[Req, Res]", request: Req) -> Res:
        started = time.monotonic()
        with self.installation.as_viewer("admin"):
            answer = await line.client.call(method, request)
        self.requests[self.phase, line.name] += 1
        self.seconds.setdefault(self.phase, []).append(time.monotonic() - started)
        return answer

    def _differences(self, line: Line, ticket: Ticket, id_: str) -> list[str]:
        known = self.known[id_]
        wanted: dict[str, Any] = {"message": known.words, "priority": known.priority}
        if line.new and self.renamed:
            wanted |= {"description": known.words, "priority_level": PRIORITIES[known.priority]}
        shown = {name: getattr(ticket, name) for name in wanted}
        different = [f"{id_} by {line.name} in {self.phase}: {shown} is not {wanted}"] if shown != wanted else []
        if ticket.version < known.version:
            different.append(f"{id_} by {line.name} in {self.phase}: version {ticket.version} after {known.version}")
        return different

    def _line(self) -> Line:
        return random.choice(self.lines)  # noqa: S311 - no secret

    def _speaks_new(self, line: Line) -> bool:
        """Whether to use the new field: only where a new version is certain to answer, and there every second time."""
        return line.new and self.renamed and random.random() < 0.5  # noqa: S311 - no secret
