"""Takes a person out of his account: the account stays, closed, so that what he did can still be booked on it."""

from collections.abc import Sequence
from uuid import UUID

from auth_service import store
from auth_service.convert import fact_to_event
from auth_service.credentials import vault
from auth_service.credentials.verification import account_throttle
from auth_service.domain import RevocationCause, User
from auth_service.oidc import records
from chassis.db import WriteTx
from chassis.events import Event


async def erase(tx: WriteTx, subject: str) -> Sequence[tuple[User, User, Event]]:
    """Blank what says whose account it is, end his sessions, and forget what he logged in with and from where.

    An installation that loses its last admin by this takes a first account again: auth writes a setup token when it
    starts, for whoever may read its files. Nobody's wish to be forgotten has to wait for that.
    """
    scheme, _, name = subject.partition(":")
    if scheme != "user":
        return ()
    admins = await store.lock_active_admins(tx)
    found = await store.find_user_for_update(tx, UUID(name))
    if found is None or found.is_erased:
        return ()
    erased, fact = found.erased(tx.now)
    await store.save_user(tx, erased, expected_version=found.version)
    for session in await store.open_sessions_for_update(tx, found.id):
        revoked, ended = session.revoked(RevocationCause.USER_DEACTIVATED, tx.now)
        await store.save_revoked(tx, revoked)
        tx.publish(fact_to_event(ended))
    await store.forget_credentials(tx, found.id)
    await records.forget_identity(tx, found.id)
    await vault.forgive(tx, account_throttle(found.email))
    await store.record(tx, "user.erased", found.id)
    if admins == {found.id}:
        await store.reopen_setup(tx)
    return [(found, erased, fact_to_event(fact))]
