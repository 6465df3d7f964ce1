"""Live updates: one NATS subscription per process and subject, fanned out to every client that watches.

An event says only *that* a log or a ticket changed; what a client gets is read anew with his own token, so that the
service decides each time whether and how he may see it. So a client needs no queue but one mark, "changed": any event
and any reconnection to NATS sets it, reading takes it away. A slow client costs one mark; a lost event costs time, no
state.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager, suppress

from aiops.events.v1.envelope_pb2 import Envelope
from chassis.errors import Unavailable
from chassis.messaging import Messaging
from chassis.revocations import Revocations

logger = logging.getLogger(__name__)

LOG_SUBJECTS = (
    "aiops.logs.log.received.v1",
    "aiops.logs.log.summarized.v1",
    "aiops.logs.log.summary_failed.v1",
    "aiops.logs.log.summary_suggested.v1",
    "aiops.logs.log.suggestion_accepted.v1",
    "aiops.logs.log.suggestion_dismissed.v1",
    "aiops.logs.log.status_updated.v1",
    "aiops.logs.log.updated.v1",
)
TICKET_SUBJECTS = (
    "aiops.tickets.ticket.created.v1",
    "aiops.tickets.ticket.triage_requested.v1",
    "aiops.tickets.ticket.triaged.v1",
    "aiops.tickets.ticket.triage_failed.v1",
    "aiops.tickets.ticket.triage_suggested.v1",
    "aiops.tickets.ticket.suggestion_accepted.v1",
    "aiops.tickets.ticket.suggestion_dismissed.v1",
    "aiops.tickets.ticket.updated.v1",
    "aiops.tickets.ticket.audience_updated.v1",
    "aiops.tickets.ticket.assigned.v1",
    "aiops.tickets.ticket.status_updated.v1",
    "aiops.tickets.ticket.commented.v1",
    "aiops.tickets.ticket.logs_linked.v1",
    "aiops.tickets.ticket.logs_unlinked.v1",
    "aiops.tickets.ticket.erased.v1",
)
RECHECK_SECONDS = 30.0
"""A watcher looks again after this time even when no event came: core NATS may lose one."""
CONNECT_AGAIN_SECONDS = 1.0


class ChangeFeed:
    """Tells watchers that what they watch changed: a log or a ticket, found by its id, which no other thing has."""

    def __init__(self, recheck_seconds: float = RECHECK_SECONDS) -> None:
        self._recheck_seconds = recheck_seconds
        self._watchers: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    @property
    def watcher_count(self) -> int:
        """How many clients watch something just now."""
        return sum(map(len, self._watchers.values()))

    async def hear(self, envelope: Envelope) -> None:
        """Take one event of what may be watched."""
        for changed in self._watchers.get(envelope.aggregate_id, ()):
            changed.set()

    async def look_again(self) -> None:
        """Events may have passed unheard while NATS was away: every watcher reads anew."""
        for watchers in self._watchers.values():
            for changed in watchers:
                changed.set()

    async def changes(self, aggregate_id: str) -> AsyncGenerator[None, None]:
        """One item at once, and one each time it may have changed; changes that come together are one."""
        with self._watching(aggregate_id) as changed:
            while True:
                changed.clear()
                yield
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._recheck_seconds):
                        await changed.wait()

    @contextmanager
    def _watching(self, aggregate_id: str) -> Iterator[asyncio.Event]:
        changed = asyncio.Event()
        self._watchers[aggregate_id].add(changed)
        try:
            yield changed
        finally:
            self._watchers[aggregate_id].discard(changed)
            if not self._watchers[aggregate_id]:
                del self._watchers[aggregate_id]


async def listen(messaging: Messaging, change_feed: ChangeFeed, revocations: Revocations) -> None:
    """Hear events for as long as the process lives. NATS may come late: until then watchers look by themselves."""
    said = False
    while not messaging.is_connected:
        try:
            await messaging.connect()
        except Unavailable as error:
            if not said:
                logger.warning("live updates are slow until NATS is there: %s", error.message)
            said = True
            await asyncio.sleep(CONNECT_AGAIN_SECONDS)
    if revocations.hears:
        await revocations.join(messaging)
    for subject in (*LOG_SUBJECTS, *TICKET_SUBJECTS):
        await messaging.subscribe_core(subject, change_feed.hear)
    await change_feed.look_again()
    await asyncio.Event().wait()
