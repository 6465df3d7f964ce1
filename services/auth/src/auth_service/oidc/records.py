"""SQL of sign-in through the provider. It never commits and decides nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from auth_service.oidc.steps import Begun
from auth_service.tables import identities, provider_logouts, provider_sessions, sessions, sign_ins
from chassis.db import ReadTx, WriteTx


@dataclass(frozen=True)
class Identity:
    """Who at the provider an account belongs to."""

    hash: bytes
    user_id: UUID
    made_the_user: bool
    """Whether the account came from the provider, and was no one's before."""
    closed_the_user: bool
    """Whether the account is closed because no group of the person gave a role."""


async def add_sign_in(tx: WriteTx, state_hash: bytes, browser_hash: bytes, begun: Begun, expires_at: datetime) -> None:
    """Store a sign-in that begins."""
    values = {"redirect_uri": begun.redirect_uri, "next_path": begun.next_path, "created_at": tx.now}
    await tx.execute(
        sign_ins.insert().values(state_hash=state_hash, browser_hash=browser_hash, expires_at=expires_at, **values)
    )


async def consume_sign_in(tx: WriteTx, state_hash: bytes, browser_hash: bytes) -> Begun | None:
    """Use up a sign-in of this browser: for one caller ever. None when it is unknown, over, or another browser's."""
    row = await tx.fetch_one(
        sign_ins.delete()
        .where(
            sign_ins.c.state_hash == state_hash,
            sign_ins.c.browser_hash == browser_hash,
            sign_ins.c.expires_at > tx.now,
        )
        .returning(sign_ins.c.redirect_uri, sign_ins.c.next_path)
    )
    return Begun(row.redirect_uri, row.next_path) if row else None


async def find_identity(tx: ReadTx, identity_hash: bytes) -> Identity | None:
    """Whose account it is."""
    row = await tx.fetch_one(select(identities).where(identities.c.identity_hash == identity_hash))
    return Identity(row.identity_hash, row.user_id, row.made_the_user, row.closed_the_user) if row else None


async def has_identity(tx: ReadTx, user_id: UUID) -> bool:
    """Whether the account belongs to somebody at the provider."""
    return await tx.fetch_one(select(identities.c.user_id).where(identities.c.user_id == user_id)) is not None


async def add_identity(tx: WriteTx, identity: Identity) -> bool:
    """Let an account belong to somebody at the provider; False when it, or he, does already."""
    adding = insert(identities).values(
        identity_hash=identity.hash,
        user_id=identity.user_id,
        made_the_user=identity.made_the_user,
        closed_the_user=identity.closed_the_user,
        linked_at=tx.now,
    )
    return await tx.fetch_one(adding.on_conflict_do_nothing().returning(identities.c.user_id)) is not None


async def save_closed(tx: WriteTx, identity: Identity, *, closed: bool) -> None:
    """Store whether the provider's groups have closed the account."""
    await tx.execute(
        update(identities).where(identities.c.identity_hash == identity.hash).values(closed_the_user=closed)
    )


async def add_provider_session(tx: WriteTx, session_id: UUID, identity_hash: bytes, sid_hash: bytes | None) -> None:
    """Store that a session began at the provider."""
    await tx.execute(
        provider_sessions.insert().values(session_id=session_id, identity_hash=identity_hash, sid_hash=sid_hash)
    )


async def open_provider_sessions(tx: ReadTx, identity_hash: bytes | None, sid_hash: bytes | None) -> Sequence[UUID]:
    """The open sessions of this identity, of this session there, or where both meet; at least one is given."""
    wanted = [
        column == value
        for column, value in (
            (provider_sessions.c.identity_hash, identity_hash),
            (provider_sessions.c.sid_hash, sid_hash),
        )
        if value is not None
    ]
    statement = select(sessions.c.id).join(provider_sessions, provider_sessions.c.session_id == sessions.c.id)
    rows = await tx.fetch_all(statement.where(sessions.c.revoked_at.is_(None), and_(*wanted)).order_by(sessions.c.id))
    return [row.id for row in rows]


async def hold_logouts(tx: WriteTx, *, alone: bool) -> None:
    """Let no logout come between a sign-in's look for one and its session: sign-ins go together, a logout alone."""
    function = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
    await tx.execute(text(f"SELECT {function}(hashtextextended('aiops.auth.provider_logouts', 0))"))


async def add_logout(
    tx: WriteTx, jti_hash: bytes, identity_hash: bytes | None, sid_hash: bytes | None, issued_at: datetime
) -> bool:
    """Store that a logout token came; False when it came before."""
    adding = insert(provider_logouts).values(
        jti_hash=jti_hash, identity_hash=identity_hash, sid_hash=sid_hash, issued_at=issued_at
    )
    return await tx.fetch_one(adding.on_conflict_do_nothing().returning(provider_logouts.c.jti_hash)) is not None


async def was_logged_out(tx: ReadTx, identity_hash: bytes, sid_hash: bytes | None, *, since: datetime) -> bool:
    """Whether the provider ended what a sign-in of then began."""
    of_all = and_(provider_logouts.c.identity_hash == identity_hash, provider_logouts.c.sid_hash.is_(None))
    of_this = of_all if sid_hash is None else or_(of_all, provider_logouts.c.sid_hash == sid_hash)
    statement = select(provider_logouts.c.jti_hash).where(of_this, provider_logouts.c.issued_at >= since).limit(1)
    return await tx.fetch_one(statement) is not None


async def forget_identity(tx: WriteTx, user_id: UUID) -> None:
    """Delete who at the provider an account belongs to."""
    of_user = select(identities.c.identity_hash).where(identities.c.user_id == user_id)
    await tx.execute(provider_sessions.delete().where(provider_sessions.c.identity_hash.in_(of_user)))
    await tx.execute(identities.delete().where(identities.c.user_id == user_id))


async def forget_past(tx: WriteTx, *, logouts_kept_for: timedelta) -> None:
    """Delete sign-ins that were never completed, and logouts that nothing can repeat any more."""
    await tx.execute(sign_ins.delete().where(sign_ins.c.expires_at < tx.now))
    await tx.execute(provider_logouts.delete().where(provider_logouts.c.issued_at < tx.now - logouts_kept_for))
