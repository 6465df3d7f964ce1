"""What the history keeps of a user, and who sees it there. Passwords, tokens and sessions are not in it."""

from collections.abc import Sequence
from datetime import UTC
from uuid import UUID

from sqlalchemy import select

from auth_service.domain import User
from auth_service.erasure import erase
from auth_service.policy import HISTORY, RULES
from auth_service.store import user_from
from auth_service.tables import users
from chassis.db import ReadTx
from chassis.history import Document, History, subject_of_user, unchanged
from chassis.identity import Call


def document(user: User) -> Document:
    """A user as history keeps him: address and name are his, and sealed under his key."""
    his = () if user.is_erased else ("email", "display_name")
    return Document(
        user.id,
        user.version,
        {
            "email": user.email,
            "display_name": user.display_name,
            "role": None if user.role is None else user.role.value,
            "status": user.status.value,
            "created_at": user.created_at.astimezone(UTC).isoformat(),
        },
        personal=dict.fromkeys(his, subject_of_user(user.id)),
    )


async def current(tx: ReadTx, user_id: UUID, call: Call) -> User | None:
    """The user, for whoever may read him: people who work here, and himself."""
    viewer = call.viewer
    if viewer is None or viewer.kind != "user":
        return None
    if viewer.id != user_id and not RULES["BatchGetUsers"].admits(viewer):
        return None
    row = await tx.fetch_one(select(users).where(users.c.id == user_id))
    return None if row is None else user_from(row)


async def iterate(tx: ReadTx, after_id: UUID | None, limit: int) -> Sequence[User]:
    """Users by id."""
    statement = select(users).order_by(users.c.id).limit(limit)
    if after_id is not None:
        statement = statement.where(users.c.id > after_id)
    return [user_from(row) for row in await tx.fetch_all(statement)]


HISTORIES = (
    History(
        kind="user",
        domain=User,
        document=document,
        schema_version=1,
        upcast=unchanged,
        current=current,
        visible=HISTORY,
        iterate=iterate,
        erase=erase,
    ),
)
"""All that auth keeps a history of."""
