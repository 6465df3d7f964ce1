"""The limit of a consumer: when everything fails, the fault is not the events'; it holds and buries no more of them.

A consumer that holds tries one event now and then, and goes on by itself as soon as one succeeds. What all its
processes do is one row in Postgres, so a restart forgets nothing.
"""

from datetime import timedelta

from sqlalchemy import Column, DateTime, Table, Text, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert

from aiops.events.v1.envelope_pb2 import Envelope
from chassis.db import UnitOfWork, WriteTx
from chassis.dead_letters import dead_letters
from chassis.errors import Unavailable
from chassis.inbox import inbox
from chassis.metrics import Metrics
from chassis.outbox import foundation

MOST_LETTERS = 20
WINDOW = timedelta(minutes=10)
TRY_SECONDS = 30.0

consumer_holds = Table(
    "consumer_holds",
    foundation,
    Column("consumer", Text, primary_key=True),
    Column("held_at", DateTime(timezone=True), nullable=False),
    Column("released_at", DateTime(timezone=True)),
)


class Hold:
    """Whether one durable consumer holds."""

    def __init__(self, durable: str, unit_of_work: UnitOfWork, metrics: Metrics) -> None:
        self.durable = durable
        self.held = False
        self._unit_of_work = unit_of_work
        self._gauge = metrics.gauge("aiops_consumer_held").labels(durable)
        self._gauge.set(0)

    async def refresh(self) -> None:
        """See what the other processes of the consumer have found out."""
        holds = consumer_holds.c
        async with self._unit_of_work.database.read() as tx:
            row = await tx.fetch_one(
                select(holds.released_at).where(holds.consumer == self.durable, holds.released_at.is_(None))
            )
        self._set(held=row is not None)

    async def is_due(self, tx: WriteTx) -> bool:
        """Whether one letter more would be one too many, and begin to hold if so.

        Too many are more than 20 within 10 minutes, unless more events than that took effect in the same time: then
        it is these events that are bad. Burials of a consumer wait for each other here, so that the limit is exact.
        """
        await tx.execute(
            text("SELECT pg_advisory_xact_lock(hashtext('aiops.bury'), hashtext(:durable))").bindparams(
                durable=self.durable
            )
        )
        holds, letters = consumer_holds.c, dead_letters.c
        known = await tx.fetch_one(select(holds.released_at).where(holds.consumer == self.durable))
        if known is not None and known.released_at is None:
            self._set(held=True)  # another process found out, be it so long ago that its letters no longer count
            return True
        since = tx.now - WINDOW
        if known is not None:
            since = max(since, known.released_at)
        recent = select(func.count()).where(
            letters.consumer == self.durable, letters.created_at > since, letters.redriven_at.is_(None)
        )
        buried: int = (await tx.execute(recent)).scalar_one()
        if buried < MOST_LETTERS:
            return False
        effects = (
            select(literal(1)).where(inbox.c.consumer == self.durable, inbox.c.handled_at > since).limit(buried)
        ).subquery()
        handled: int = (await tx.execute(select(func.count()).select_from(effects))).scalar_one()
        if handled >= buried:
            return False
        row = insert(consumer_holds).values(consumer=self.durable, held_at=tx.now)
        await tx.execute(
            row.on_conflict_do_update(index_elements=[holds.consumer], set_={"held_at": tx.now, "released_at": None})
        )
        self._set(held=True)
        return True

    async def release(self) -> None:
        """Go on: an event took effect."""
        holds = consumer_holds.c
        async with self._unit_of_work.begin() as tx:
            await tx.execute(
                update(consumer_holds)
                .where(holds.consumer == self.durable, holds.released_at.is_(None))
                .values(released_at=tx.now)
            )
        self._set(held=False)

    async def spares(self, event: Envelope) -> bool:
        """Whether many deliveries of the event say nothing of it: they may have been tries of a held consumer."""
        holds = consumer_holds.c
        async with self._unit_of_work.database.read() as tx:
            row = await tx.fetch_one(select(holds.released_at).where(holds.consumer == self.durable))
        if row is None:
            return False
        now = self._unit_of_work.clock.now()
        recently = row.released_at is None or now - row.released_at < WINDOW
        return recently and (row.released_at is None or event.occurred_at.ToDatetime(now.tzinfo) <= row.released_at)

    async def check(self) -> None:
        """Pass unless the consumer holds.

        Raises:
            Unavailable: it does.
        """
        if self.held:
            raise Unavailable(
                f"{self.durable} holds: {MOST_LETTERS} events failed within {WINDOW.seconds // 60} minutes; it tries "
                f"one every {TRY_SECONDS:g} s and goes on when one succeeds. See: aiops deadletters list",
                dependency=self.durable,
            )

    def _set(self, *, held: bool) -> None:
        self.held = held
        self._gauge.set(held)
