"""The history of tickets: one row for each version, sealed where it is somebody's, shown to whoever sees the ticket."""

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from services.tickets.tests.factories import (
    ADMIN,
    HR,
    KEY,
    MOMENT,
    NOBODY,
    OPS,
    Call,
    Create,
    KnownLogs,
    KnownUsers,
    Published,
    Store,
    decision,
    make_ticket,
)
from services.tickets.tests.histories import SECRET, Opened, rows_of, stored, wish

from aiops.tickets.v1 import ticket_pb2 as ticket_pb
from aiops.tickets.v1 import tickets_service_pb2 as pb
from chassis.db import Database, UnitOfWork
from chassis.history import Document, patch, replay
from chassis.history.chain import Row
from chassis.history.recorder import Recorder
from chassis.identity import Call as Calling
from chassis.identity import Role, Viewer
from chassis.migration_files import all_migrations
from chassis.redaction import Redactor
from chassis.testing.harness import Installation
from chassis.testing.plugin import ServiceDatabase
from tickets_service import queries, triage, usecases
from tickets_service.commands import UpdateTicket
from tickets_service.documents import TICKET_HISTORY, current, document
from tickets_service.domain import Ticket
from tickets_service.values import Audience, OptionKind, Suggestion, Watcher

GOLDEN = Path(__file__).parent / "golden"


async def test_every_change_is_one_row_that_folds_to_the_ticket(
    create: Create, ask: Call, users: KnownUsers, known_logs: KnownLogs, database: Database, published: Published,
    opened: Opened, installation: Installation,
) -> None:  # fmt: skip
    log_id = known_logs.add()
    with installation.as_viewer("admin"):
        ticket = await create("Printer", reporter={"external_name": "Ada", "external_email": "ada@example.org"})
        values: dict[str, Any] = {"ticket_id": ticket.id}
        mutations: list[tuple[str, Any]] = [
            ("UpdateTicket", pb.UpdateTicketRequest(**values, title="Printer on fire", priority="urgent")),
            ("UpdateTicketStatus", pb.UpdateTicketStatusRequest(**values, status=ticket_pb.TICKET_STATUS_WAITING)),
            ("AssignTicket", pb.AssignTicketRequest(**values, assignee_id=users.add("admin"))),
            ("AddTicketComment", pb.AddTicketCommentRequest(**values, body="on my way", internal=True)),
            ("LinkTicketLogs", pb.LinkTicketLogsRequest(**values, log_ids=[log_id])),
            ("UnlinkTicketLogs", pb.UnlinkTicketLogsRequest(**values, log_ids=[log_id])),
            (
                "UpdateTicketAudience",
                pb.UpdateTicketAudienceRequest(**values, audience=ticket_pb.TICKET_AUDIENCE_PEOPLE),
            ),
            ("UpdateTicket", pb.UpdateTicketRequest(**values, title="Printer drunk")),
        ]
        for version, (method, change) in enumerate(mutations, start=1):
            change.idempotency_key, change.expected_version = f"{KEY}-{version}", version
            await ask(method, change)
            await ask(method, change)
            now = await stored(database, UUID(ticket.id))
            assert (now.version, await opened(now.id)) == (version + 1, document(now).fields), method

    rows = await rows_of(database, UUID(ticket.id))
    told = [envelope.type.rpartition(".")[2] for _, envelope in await published(database)]
    assert [row.version for row in rows] == list(range(1, 10))
    assert [row.event for row in rows] == told
    assert [row.reason for row in rows][:3] == ["CreateTicket", "UpdateTicket", "UpdateTicketStatus"]
    assert {row.actor_kind for row in rows} == {"user"}


async def test_what_triage_writes_is_history_too(uow: UnitOfWork, database: Database, opened: Opened) -> None:
    async with uow.begin() as tx:
        offered = await queries.list_options(tx)
        ticket = await usecases.create_ticket(wish(), ADMIN, tx, Redactor(b"0" * 32))
    async with uow.begin() as tx:
        change = UpdateTicket(
            ticket.id,
            1,
            title=None,
            description=None,
            priority_level=None,
            service=None,
            values={OptionKind.CATEGORY: "question"},
        )
        await usecases.update_ticket(change, ADMIN, tx, Redactor(b"0" * 32))

    async with uow.begin() as tx:
        await triage.store_decision(decision(ticket_version=1), ticket, offered, tx)
    suggested = await stored(database, ticket.id)
    assert await opened(ticket.id) == document(suggested).fields
    async with uow.begin() as tx:
        await triage.store_decision(decision(ticket_version=2), suggested, offered, tx)

    now = await stored(database, ticket.id)
    assert await opened(ticket.id) == document(now).fields
    assert [row.event for row in await rows_of(database, ticket.id)] == [
        "TicketCreated", "TicketUpdated", "TicketTriageSuggested", "TicketTriaged",
    ]  # fmt: skip


async def test_a_reporter_and_the_words_are_sealed_always(
    uow: UnitOfWork, database: Database, opened: Opened, redactor: Redactor
) -> None:
    async with uow.begin() as tx:
        general = await usecases.create_ticket(wish(), ADMIN, tx, redactor)
        people = await usecases.create_ticket(
            wish(title=SECRET, description=SECRET, audience=Audience.PEOPLE), HR, tx, redactor
        )

    for ticket in (general, people):
        (row,) = await rows_of(database, ticket.id)
        raw = row.patch + row.inverse
        assert not any(personal in raw for personal in ("Ada", "ada@example.org", SECRET, "Checkout is down"))
        assert await opened(ticket.id) == document(ticket).fields


@pytest.mark.parametrize(
    ("watcher", "seen"), [(ADMIN, True), (HR, True), (OPS, False), (NOBODY, False)], ids=["admin", "hr", "ops", "none"]
)
async def test_a_hidden_ticket_has_no_history_for_whom_it_does_not_exist(
    *, uow: UnitOfWork, database: Database, redactor: Redactor, watcher: Watcher, seen: bool
) -> None:
    async with uow.begin() as tx:
        ticket = await usecases.create_ticket(wish(audience=Audience.PEOPLE), HR, tx, redactor)

    async with database.read() as tx:
        found = await current(tx, ticket.id, calling(watcher))

    assert (found is not None) is seen


def calling(watcher: Watcher) -> Calling:
    viewer = Viewer(
        id=UUID(watcher.id),
        kind="user",
        role=Role(watcher.role) if watcher.role else None,
        scopes=frozenset(),
        session_id=None,
        token_id="t",
        expires_at=MOMENT,
    )
    return Calling("gateway", viewer)


def test_every_field_says_who_sees_it() -> None:
    shown = make_ticket(triage=decision(), suggestion=Suggestion(decision(), ("title",)))

    assert TICKET_HISTORY.visible.keys() == document(shown).fields.keys()


@pytest.mark.parametrize(
    ("watcher", "masked"),
    [
        (ADMIN, set()),
        (HR, {"internal_comment_count"}),
        (OPS, {"internal_comment_count", "reporter_email", "audience_decided"}),
        (NOBODY, {"internal_comment_count", "reporter_email", "audience_decided"}),
    ],
    ids=["admin", "hr", "ops", "none"],
)
def test_fields_are_masked_as_in_tickets(watcher: Watcher, masked: set[str]) -> None:
    call = calling(watcher)

    assert {name for name, sees in TICKET_HISTORY.visible.items() if not sees(call)} == masked


async def test_nobody_changes_what_was_written(
    uow: UnitOfWork, service_database: ServiceDatabase, redactor: Redactor
) -> None:
    async with uow.begin() as tx:
        await usecases.create_ticket(wish(), ADMIN, tx, redactor)

    for url in (service_database.app_url, service_database.owner_url):
        for statement in ("UPDATE ticket_changes SET reason = ''", "DELETE FROM ticket_changes"):
            with (
                psycopg.connect(url.replace("+psycopg", ""), options="-c search_path=tickets") as connection,
                pytest.raises(psycopg.errors.InsufficientPrivilege),
            ):
                connection.execute(statement.encode())


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_a_golden_history_replays(path: Path) -> None:
    golden = json.loads(path.read_text())
    rows = [
        Row(**row | {"id": UUID(row["id"]), "changed_at": datetime.fromisoformat(row["changed_at"]),
                     "previous_hash": bytes.fromhex(row["previous_hash"]), "hash": bytes.fromhex(row["hash"])})
        for row in golden["rows"]
    ]  # fmt: skip

    states = [replay.fold(TICKET_HISTORY, rows[0].id, rows[:count]).fields for count in range(1, len(rows) + 1)]

    present: dict[str, Any] = {}
    whole = [{"op": "add", "path": f"/{name}", "value": value} for name, value in golden["state"].items()]
    patch.apply(present, TICKET_HISTORY.upcast(rows[-1].schema_version, whole))
    assert states[-1] == present
    assert [state.get("description") for state in states][:2] == ["502", "502"]
    assert present.keys() == TICKET_HISTORY.visible.keys()
    assert len(states) == len(golden["rows"])


async def test_what_was_sealed_as_the_message_opens_as_the_description(
    uow: UnitOfWork, database: Database, recorder: Recorder, redactor: Redactor, opened: Opened,
    installation: Installation,
) -> None:  # fmt: skip
    def as_before(ticket: Ticket) -> Document:
        now, names = document(ticket), {"description": "message"}
        fields = {names.get(name, name): value for name, value in now.fields.items()}
        return replace(
            now, fields=fields, personal={names.get(name, name): whose for name, whose in now.personal.items()}
        )

    shown = {**TICKET_HISTORY.visible, "message": TICKET_HISTORY.visible["title"]}
    before = replace(TICKET_HISTORY, schema_version=1, document=as_before, visible=shown)
    uow.recorder = Recorder([before], (installation.folder / "redaction.key").read_bytes().strip(), "tickets")
    secret = wish(title=SECRET, description=SECRET, audience=Audience.PEOPLE)
    async with uow.begin() as tx:
        ticket = await usecases.create_ticket(secret, HR, tx, redactor)
    uow.recorder = recorder
    async with uow.begin() as tx:
        change = UpdateTicket(ticket.id, 1, title=None, service=None, values={}, description="Other words")
        now = await usecases.update_ticket(change, HR, tx, redactor)

    first, second = await rows_of(database, ticket.id)
    assert (first.schema_version, second.schema_version) == (1, 2)
    assert await opened(ticket.id) == document(now).fields
    old = replay.fold(TICKET_HISTORY, ticket.id, [first])
    async with database.read() as reading:
        keys = await recorder.vault.load(reading, old.subjects.values())
    assert old.opened(recorder.vault, keys)["description"] == SECRET


async def test_tickets_of_before_get_their_first_row_by_the_backfill(
    store: Store, service_database: ServiceDatabase, database: Database, opened: Opened, uow: UnitOfWork,
    installation: Installation, monkeypatch: pytest.MonkeyPatch, redactor: Redactor,
) -> None:  # fmt: skip
    monkeypatch.setenv("AIOPS_REDACTION_KEY_FILE", str(installation.folder / "redaction.key"))
    old = [await store(version=4), await store(audience=Audience.PEOPLE, title=SECRET)]
    async with uow.begin() as tx:
        new = await usecases.create_ticket(wish(), ADMIN, tx, redactor)
    (migration,) = [found for found in all_migrations("tickets_service") if found.key == "0005.backfill"]
    batch = migration.batch()
    assert batch is not None

    with psycopg.connect(service_database.owner_url.replace("+psycopg", "")) as connection:
        first = batch(connection, "", 2)
        rest = batch(connection, first[0], 2)
        again = batch(connection, "", 1000)

    assert (first[1], rest, again) == (2, ("", 1), ("", 3))
    for ticket in old:
        (row,) = await rows_of(database, ticket.id)
        assert (row.version, row.event, row.actor_kind) == (ticket.version, "Genesis", "service")
        assert SECRET not in row.patch
        assert await opened(ticket.id) == document(ticket).fields
    assert [row.event for row in await rows_of(database, new.id)] == ["TicketCreated"]
