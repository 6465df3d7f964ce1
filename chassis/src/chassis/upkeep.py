"""What every service's schema needs done now and then: forgetting what is past its time."""

from chassis import idempotency, inbox, outbox
from chassis.db import UnitOfWork


async def prune(unit_of_work: UnitOfWork) -> None:
    """Forget published facts after 7 days, inbox rows after 30 days and idempotency keys after 72 hours.

    One transaction each, so that none waits for another; run it every few minutes, by one worker.
    """
    for table in (outbox, inbox, idempotency):
        async with unit_of_work.begin() as tx:
            await table.prune(tx.connection, now=tx.now)
