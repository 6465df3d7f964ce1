"""Whether an admin is one still, and whether one stays.

An access token says what its holder was when it was made; up to ten minutes later the table knows better.
"""

from uuid import UUID

from auth_service import store
from auth_service.domain import User
from auth_service.errors import LastAdmin
from chassis.db import WriteTx
from chassis.errors import Forbidden


async def require_admin(tx: WriteTx) -> None:
    """Let the actor go on only as an active admin.

    Raises:
        Forbidden: he is none any more.
    """
    actor = await store.find_user_steady(tx, UUID(tx.actor.id)) if tx.actor.kind == "user" else None
    if actor is None or not actor.is_active_admin:
        raise Forbidden


async def lock_admins(tx: WriteTx) -> frozenset[UUID]:
    """All active admins, none of whom changes before the transaction ends; the actor is one of them.

    Raises:
        Forbidden: he is not.
    """
    admins = await store.lock_active_admins(tx)
    if tx.actor.kind != "user" or UUID(tx.actor.id) not in admins:
        raise Forbidden
    return admins


def keep_an_admin(admins: frozenset[UUID], changed: User) -> None:
    """Let the change go on only if somebody is left who can manage the installation.

    Raises:
        LastAdmin: nobody would be.
    """
    if not changed.is_active_admin and admins == {changed.id}:
        raise LastAdmin
