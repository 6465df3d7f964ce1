"""Similar tickets: which are found, what their words weigh for whom, and how that follows the changes of a ticket."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from services.tickets.tests.factories import ADMIN, MOMENT, OPS, Store

from chassis.db import Database, UnitOfWork
from chassis.ids import uuid7
from chassis.paging import Page
from tickets_service import queries, similar, similarity
from tickets_service.commands import TicketFilter
from tickets_service.domain import Ticket
from tickets_service.store import TicketStore
from tickets_service.tables import TICKET_WORD_COUNTS
from tickets_service.values import Audience, Reporter, Watcher


async def test_similar_tickets_share_rare_words_and_say_which(store: Store, database: Database) -> None:
    for n in range(20):
        await store(title=f"Request {n} fails", description=f"The request with number {n * 7919} fails.")
    asked = await store(title="Certificate of ldap gateway expired", description="The request fails since Monday.")
    twin = await store(title="ldap gateway: expired certificates", description="")
    cousin = await store(title="Renew certificate of the mail server", description="")

    async with database.read() as tx:
        answer = await queries.batch_list_similar([asked.id], 2, OPS, tx)

    assert [alike.ticket.id for alike in answer[asked.id]] == [twin.id, cousin.id]
    first, second = answer[asked.id]
    assert 1 > first.similarity > second.similarity > 0
    assert set(first.shared_words) == {"certificate", "ldap", "gateway", "expired"}
    assert second.shared_words == ("certificate",)


async def test_a_ticket_without_a_word_is_like_no_other(store: Store, database: Database) -> None:
    asked = await store(title="A" * 200, description="B" * 5_000)
    await store(title="A" * 200, description="B" * 5_000)

    async with database.read() as tx:
        answer = await queries.batch_list_similar([asked.id], 5, OPS, tx)

    assert answer[asked.id] == []


async def test_the_text_of_a_ticket_is_read_once_for_all_that_are_like_it(
    store: Store, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [await store(title="Certificate of ldap expired", description="") for _ in range(6)]
    texts: list[str] = []

    def spellings(title: str, message: str) -> Mapping[str, str]:
        texts.append(title)
        return similarity.spellings(title, message)

    monkeypatch.setattr(queries, "spellings", spellings)
    async with database.read() as tx:
        answer = await queries.batch_list_similar([asked[0].id, asked[1].id], 5, OPS, tx)

    assert [len(alikes) for alikes in answer.values()] == [5, 5]
    assert len(texts) == 2


async def test_hidden_tickets_take_no_place_among_the_similar_ones(store: Store, database: Database) -> None:
    asked = await store(title="Certificate of ldap gateway expired", description="")
    for _ in range(similar.COMPARED):
        await store(title="Certificate of ldap gateway expired", description="", audience=Audience.PEOPLE)
    cousin = await store(title="Certificate of the mail server", description="")

    async with database.read() as tx:
        for_ops = await queries.batch_list_similar([asked.id], 1, OPS, tx)
    async with database.read() as tx:
        for_admin = await queries.batch_list_similar([asked.id], 1, ADMIN, tx)

    assert [alike.ticket.id for alike in for_ops[asked.id]] == [cousin.id]
    assert for_admin[asked.id][0].similarity == pytest.approx(1.0)


async def test_similarity_tells_nobody_of_words_in_tickets_that_he_may_not_see(
    store: Store, database: Database
) -> None:
    reporter = Watcher("user", str(uuid7()))
    mine = Reporter(UUID(reporter.id))
    for word in ("mueller", "schmidt"):
        await store(title=f"{word} fax", description="", reporter=mine)
        await store(title=f"{word} toner", description="", reporter=mine)
    for _ in range(5):
        await store(title="About mueller", description="", audience=Audience.PEOPLE)

    similarities: dict[str, list[float]] = {}
    for name, watcher in {"reporter": reporter, "ops": OPS, "admin": ADMIN}.items():
        async with database.read() as tx:
            page = await queries.list_tickets(TicketFilter(text="fax"), Page(2, ""), watcher, tx)
            answer = await queries.batch_list_similar([ticket.id for ticket in page.items], 10, watcher, tx)
        similarities[name] = [
            alike.similarity
            for ticket in page.items
            for alike in answer[ticket.id]
            if alike.ticket.title.endswith("toner")
        ]

    assert similarities["reporter"] == [pytest.approx(0.5)] * 2
    assert similarities["ops"] == [pytest.approx(0.5)] * 2
    assert similarities["admin"][0] > similarities["admin"][1]


async def test_a_changed_title_is_found_by_its_new_words(store: Store, uow: UnitOfWork, database: Database) -> None:
    asked = await store(title="Zookeeper quorum lost", description="")
    other = await store(title="Something else", description="")
    async with uow.begin() as tx:
        renamed, _ = other.updated(
            title="Quorum of zookeeper is gone",
            description="",
            service="",
            values={},
            narrows=False,
            suspicious=False,
            at=MOMENT,
        )
        await similar.change_words(renamed, other, tx)

    async with database.read() as tx:
        answer = await queries.batch_list_similar([asked.id], 5, OPS, tx)

    assert [(alike.ticket.id, alike.shared_words) for alike in answer[asked.id]] == [
        (other.id, ("quorum", "zookeeper"))
    ]


async def test_words_are_counted_once(store: Store, uow: UnitOfWork, database: Database) -> None:
    await store(title="Disk full", description="disk")
    await store(title="Disk lost", description="", people_suspected=True)

    async with uow.begin() as tx:
        await similar.count_new_words(tx)
    async with database.read() as tx:
        rows = await tx.fetch_all(TICKET_WORD_COUNTS.select())

    assert {row.word: (row.ticket_count, row.hidden_count) for row in rows} == {
        "": (2, 1),
        "disk": (2, 1),
        "full": (1, 0),
        "lost": (1, 1),
    }


async def counted(uow: UnitOfWork, database: Database) -> dict[str, tuple[int, int]]:
    """How many tickets have a word, and how many hidden ones, once all are counted."""
    async with uow.begin() as tx:
        await similar.count_new_words(tx)
    async with database.read() as tx:
        rows = await tx.fetch_all(TICKET_WORD_COUNTS.select())
    return {row.word: (row.ticket_count, row.hidden_count) for row in rows}


async def change(before: Ticket, uow: UnitOfWork, **changes: Any) -> Ticket:
    """Store a changed ticket and what that makes of its words."""
    ticket = replace(before, version=before.version + 1, **changes)
    async with uow.begin() as tx:
        await TicketStore(tx).save(ticket, expected_version=before.version)
        await similar.change_words(ticket, before, tx)
    return ticket


async def test_the_words_of_a_ticket_that_becomes_hidden_weigh_for_those_who_see_it(
    store: Store, uow: UnitOfWork, database: Database
) -> None:
    await store(title="Disk full", description="")
    shown = await store(title="Disk lost", description="")

    hidden = await change(shown, uow, audience=Audience.PEOPLE)
    when_hidden = await counted(uow, database)
    again = await change(await change(hidden, uow, audience=Audience.GENERAL), uow, title="Disk gone")
    when_shown = await counted(uow, database)
    await change(again, uow, audience=Audience.PEOPLE)

    assert when_hidden == {"": (2, 1), "disk": (2, 1), "full": (1, 0), "lost": (1, 1)}
    assert when_shown == {"": (2, 0), "disk": (2, 0), "full": (1, 0), "lost": (0, 0), "gone": (1, 0)}
    assert (await counted(uow, database))["gone"] == (1, 1)


async def test_a_ticket_that_changes_while_it_is_counted_waits_and_is_counted_as_it_became(
    store: Store, uow: UnitOfWork, database: Database
) -> None:
    shown = await store(title="Disk lost", description="")
    await change(shown, uow, title="Disk gone")
    hidden = replace(shown, version=3, title="Disk gone", audience=Audience.PEOPLE)

    async with uow.begin() as tx:
        await similar.change_words(hidden, replace(hidden, audience=Audience.GENERAL), tx)
        async with uow.begin() as other:
            skipped = await similar.count_new_words(other)
        await TicketStore(tx).save(hidden, expected_version=2)

    assert skipped == 0
    assert await counted(uow, database) == {"": (1, 1), "disk": (1, 1), "lost": (0, 0), "gone": (1, 1)}
