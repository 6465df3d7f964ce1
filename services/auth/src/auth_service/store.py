"""SQL of auth: rows to domain objects and back. It never commits and decides nothing.

Locks are always taken in the same order, so that they cannot cross: users (by id), then a session, then its tokens.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func, select, update
from sqlalchemy.dialects.postgresql import insert

from auth_service.credentials import voids
from auth_service.domain import (
    RefreshToken,
    RevocationCause,
    Role,
    Session,
    User,
    UserStatus,
    email_key,
)
from auth_service.errors import UserNotFound
from auth_service.tables import audit_events, invitations, passwords, refresh_tokens, sessions, setup, users
from chassis.audit import audit_trail
from chassis.db import ReadTx, WriteTx
from chassis.errors import VersionConflict


def user_from(row: Row[Any]) -> User:
    """The user in a row of `users`."""
    return User(
        id=row.id,
        version=row.version,
        email=row.email,
        display_name=row.display_name,
        role=Role(row.role) if row.role else None,
        status=UserStatus(row.status),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _locked(statement: Select[Any]) -> Select[Any]:
    # NO KEY: rows that only refer to the user (a new session) need not wait.
    return statement.with_for_update(key_share=True)


async def find_user(tx: ReadTx, email: str) -> User | None:
    """The user with this address, however it is spelled."""
    row = await tx.fetch_one(select(users).where(users.c.email_key == email_key(email)))
    return user_from(row) if row else None


async def get_user(tx: ReadTx, user_id: UUID) -> User:
    """A user.

    Raises:
        UserNotFound: no user has this id.
    """
    return _existing(await tx.fetch_one(select(users).where(users.c.id == user_id)), user_id)


async def get_user_for_update(tx: WriteTx, user_id: UUID) -> User:
    """A user whose row nobody else changes before this transaction ends.

    Raises:
        UserNotFound: no user has this id.
    """
    return _existing(await tx.fetch_one(_locked(select(users).where(users.c.id == user_id))), user_id)


async def find_user_for_update(tx: WriteTx, user_id: UUID) -> User | None:
    """A user whose row nobody else changes before this transaction ends; None when there is none."""
    row = await tx.fetch_one(_locked(select(users).where(users.c.id == user_id)))
    return user_from(row) if row else None


async def find_user_steady(tx: WriteTx, user_id: UUID) -> User | None:
    """A user who stays as he is until this transaction ends; several may look at once."""
    row = await tx.fetch_one(select(users).where(users.c.id == user_id).with_for_update(read=True))
    return user_from(row) if row else None


async def lock_active_admins(tx: WriteTx) -> frozenset[UUID]:
    """All active admins, none of whom changes before this transaction ends."""
    statement = select(users.c.id).where(users.c.role == Role.ADMIN, users.c.status == UserStatus.ACTIVE)
    return frozenset(row.id for row in await tx.fetch_all(_locked(statement.order_by(users.c.id))))


async def add_user(tx: WriteTx, user: User) -> bool:
    """Store a new user; False when the address is taken."""
    adding = insert(users).values(_user_values(user)).on_conflict_do_nothing().returning(users.c.id)
    return await tx.fetch_one(adding) is not None


async def save_user(tx: WriteTx, user: User, *, expected_version: int) -> None:
    """Store a changed user; if that changes what he may do, the access tokens that he has become void.

    Raises:
        VersionConflict: somebody else changed it first.
    """
    await voids.revoke_if_changed(tx, user.id, role=user.role, status=user.status)
    saved = await tx.execute(
        update(users).where(users.c.id == user.id, users.c.version == expected_version).values(_user_values(user))
    )
    if saved.rowcount != 1:
        actual = (await get_user(tx, user.id)).version
        raise VersionConflict(expected=expected_version, actual=actual, kind="user", id=user.id)


async def get_password_hash(tx: ReadTx, user_id: UUID) -> str | None:
    """The hash of a user's password; None before he signed up."""
    row = await tx.fetch_one(select(passwords.c.hash).where(passwords.c.user_id == user_id))
    return row.hash if row else None


async def put_password_hash(tx: WriteTx, user_id: UUID, hashed: str) -> None:
    """Store the hash of a user's password in place of any before."""
    values = {"hash": hashed, "changed_at": tx.now}
    await tx.execute(
        insert(passwords)
        .values(user_id=user_id, **values)
        .on_conflict_do_update(index_elements=[passwords.c.user_id], set_=values)
    )


async def offer_setup(tx: WriteTx, token_hash: bytes) -> None:
    """Accept this setup token from now on, and no other, unless the first account was made."""
    await tx.execute(
        insert(setup)
        .values(token_hash=token_hash, created_at=tx.now)
        .on_conflict_do_update(
            constraint="pk_setup", set_={"token_hash": token_hash}, where=setup.c.consumed_at.is_(None)
        )
    )


async def hold_setup(tx: WriteTx) -> bool:
    """Whether the first account is still to be made; if so, nobody else answers that before this transaction ends."""
    await tx.execute(
        insert(setup).values(token_hash=b"", created_at=tx.now).on_conflict_do_nothing(constraint="pk_setup")
    )
    row = await tx.fetch_one(select(setup.c.consumed_at).with_for_update())
    return row is not None and row.consumed_at is None


async def is_set_up(tx: ReadTx) -> bool:
    """Whether the first account was made."""
    return (await tx.fetch_one(select(setup.c.consumed_at).where(setup.c.consumed_at.is_not(None)))) is not None


async def knows_setup_token(tx: ReadTx, token_hash: bytes) -> bool:
    """Whether this is the setup token, used or not."""
    return (await tx.fetch_one(select(setup.c.created_at).where(setup.c.token_hash == token_hash))) is not None


async def consume_setup(tx: WriteTx, token_hash: bytes) -> bool:
    """Use up the setup token: True for one caller ever."""
    used = await tx.execute(
        update(setup).where(setup.c.token_hash == token_hash, setup.c.consumed_at.is_(None)).values(consumed_at=tx.now)
    )
    return used.rowcount == 1


async def reopen_setup(tx: WriteTx) -> None:
    """Let a first account be made again: nobody is left who manages the installation."""
    await tx.execute(update(setup).values(consumed_at=None, token_hash=b""))


async def forget_credentials(tx: WriteTx, user_id: UUID) -> None:
    """Delete a user's password and invitations, and from where he logged in. Only the owner may touch the audit."""
    await tx.execute(passwords.delete().where(passwords.c.user_id == user_id))
    await tx.execute(invitations.delete().where(invitations.c.user_id == user_id))
    noted = audit_trail.c.subject_ids.contains([user_id])
    await tx.execute(update(audit_trail).where(noted).values(client_address=""))
    await tx.execute(update(audit_events).where(audit_events.c.subject_id == user_id).values(client_address=""))


async def put_invitation(tx: WriteTx, user_id: UUID, token_hash: bytes, expires_at: datetime) -> None:
    """Store an invitation in place of the one that is open."""
    await tx.execute(invitations.delete().where(invitations.c.user_id == user_id, invitations.c.used_at.is_(None)))
    await tx.execute(
        invitations.insert().values(token_hash=token_hash, user_id=user_id, created_at=tx.now, expires_at=expires_at)
    )


async def knows_invitation(tx: ReadTx, token_hash: bytes) -> bool:
    """Whether such an invitation was ever given, used or not."""
    statement = select(invitations.c.user_id).where(invitations.c.token_hash == token_hash)
    return (await tx.fetch_one(statement)) is not None


async def consume_invitation(tx: WriteTx, token_hash: bytes) -> UUID | None:
    """Use up an invitation; whom it is for, or None when it is unknown, used or expired."""
    used = await tx.fetch_one(
        update(invitations)
        .where(
            invitations.c.token_hash == token_hash,
            invitations.c.used_at.is_(None),
            invitations.c.expires_at > tx.now,
        )
        .values(used_at=tx.now)
        .returning(invitations.c.user_id)
    )
    return used.user_id if used else None


def _session_from(row: Row[Any]) -> Session:
    return Session(
        id=row.id,
        version=row.version,
        user_id=row.user_id,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        revocation_cause=RevocationCause(row.revocation_cause) if row.revocation_cause else None,
    )


async def add_session(tx: WriteTx, session: Session) -> None:
    """Store a new session."""
    values = {"version": session.version, "user_id": session.user_id, "created_at": session.created_at}
    await tx.execute(sessions.insert().values(id=session.id, expires_at=session.expires_at, **values))


async def find_session_of(tx: ReadTx, token_hash: bytes) -> Session | None:
    """The session that a refresh token belongs to, as it may have been a moment ago."""
    statement = select(sessions).join(refresh_tokens, refresh_tokens.c.session_id == sessions.c.id)
    row = await tx.fetch_one(statement.where(refresh_tokens.c.token_hash == token_hash))
    return _session_from(row) if row else None


async def get_session_for_update(tx: WriteTx, session_id: UUID) -> Session:
    """A session that nobody else changes, and none of whose tokens is traded, before this transaction ends."""
    row = await tx.fetch_one(_locked(select(sessions).where(sessions.c.id == session_id)))
    if row is None:
        raise LookupError(f"session {session_id} is gone")
    return _session_from(row)


async def open_sessions_for_update(tx: WriteTx, user_id: UUID, *, but: UUID | None = None) -> Sequence[Session]:
    """A user's sessions that were not revoked, except one."""
    statement = select(sessions).where(sessions.c.user_id == user_id, sessions.c.revoked_at.is_(None))
    rows = await tx.fetch_all(_locked(statement.order_by(sessions.c.id)))
    return [_session_from(row) for row in rows if row.id != but]


async def save_revoked(tx: WriteTx, session: Session) -> None:
    """Store that a session is over, and its access tokens are void."""
    await tx.execute(
        update(sessions)
        .where(sessions.c.id == session.id)
        .values(version=session.version, revoked_at=session.revoked_at, revocation_cause=session.revocation_cause)
    )
    await voids.revoke(tx, session.id)


async def add_refresh_token(tx: WriteTx, session_id: UUID, token_hash: bytes, generation: int) -> None:
    """Store the next link of a session's chain."""
    await tx.execute(
        refresh_tokens.insert().values(
            token_hash=token_hash, session_id=session_id, generation=generation, issued_at=tx.now
        )
    )


async def get_refresh_token(tx: WriteTx, session_id: UUID, token_hash: bytes) -> tuple[RefreshToken, int]:
    """A refresh token of a session that is locked, and the generation of the newest one."""
    newest = select(func.max(refresh_tokens.c.generation)).where(refresh_tokens.c.session_id == session_id)
    row = (
        await tx.execute(
            select(refresh_tokens, newest.scalar_subquery().label("newest")).where(
                refresh_tokens.c.token_hash == token_hash
            )
        )
    ).one()
    return RefreshToken(row.session_id, row.generation, row.used_at), row.newest


async def mark_refresh_token_used(tx: WriteTx, token_hash: bytes) -> None:
    """Store that a refresh token was traded in now."""
    await tx.execute(update(refresh_tokens).where(refresh_tokens.c.token_hash == token_hash).values(used_at=tx.now))


async def delete_expired_sessions(tx: WriteTx, *, expired_for: timedelta) -> int:
    """Forget sessions, and with them their tokens, that expired that long ago; how many."""
    gone = await tx.execute(sessions.delete().where(sessions.c.expires_at < tx.now - expired_for))
    return gone.rowcount


async def record(
    tx: WriteTx,
    kind: str,
    subject_id: UUID | None,
    *,
    client_address: str = "",
    detail: Mapping[str, str | Collection[str] | None] | None = None,
) -> None:
    """Add to the audit: the actor of the transaction did this to that user or API token. Never pass a secret."""
    type_ = "api_token" if kind.startswith("api_token.") else "user"
    await tx.audit(kind, subject_type=type_, subject_id=subject_id, client_address=client_address, detail=detail or {})


def _existing(row: Row[Any] | None, user_id: UUID) -> User:
    if row is None:
        raise UserNotFound("no user has this id; list the users to find the right one", id=str(user_id))
    return user_from(row)


def _user_values(user: User) -> dict[str, object]:
    return {
        "id": user.id,
        "version": user.version,
        "email": user.email,
        "email_key": email_key(user.email),
        "display_name": user.display_name,
        "role": user.role,
        "status": user.status,
        "created_at": user.created_at,
        "updated_at": user.updated_at,
    }
