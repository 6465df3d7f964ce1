"""SQL of what makes access tokens void before their time. Whoever stores that an access ended calls it."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from auth_service.credentials.signing import ACCESS_TOKEN_LIFETIME
from chassis.db import ReadTx, WriteTx
from chassis.revocations import Revocation

KEPT_SECONDS = int(ACCESS_TOKEN_LIFETIME.total_seconds()) + 30
"""The life of the last token that it concerns, and time for clocks that differ."""
_ON_CONFLICT = """
ON CONFLICT (id) DO UPDATE
SET version = excluded.version, revoked_at = excluded.revoked_at, transaction_id = excluded.transaction_id
"""
_REVOKE = "INSERT INTO revocations (id, version) VALUES (:id, 1)" + _ON_CONFLICT  # noqa: S608 - constants
_REVOKE_IF_CHANGED = (
    "INSERT INTO revocations (id, version) SELECT id, version + 1 FROM users "  # noqa: S608 - constants
    "WHERE id = :id AND status = 'active' AND (status <> :status OR role IS DISTINCT FROM CAST(:role AS text))"
    + _ON_CONFLICT
)
_SINCE = """
WITH oldest AS (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS running)
SELECT oldest.running::text AS cursor, revocations.id, revocations.version
FROM oldest LEFT JOIN revocations
ON revocations.revoked_at > now() - make_interval(secs => :kept)
AND revocations.transaction_id >= (
    -- A cursor from before a restore is ahead of this database: everything, then.
    SELECT CASE WHEN CAST(:since AS xid8) > running THEN CAST('0' AS xid8) ELSE CAST(:since AS xid8) END FROM oldest
)
"""
_FORGET = "DELETE FROM revocations WHERE revoked_at < now() - make_interval(secs => :kept)"


async def revoke(tx: WriteTx, id_: UUID) -> None:
    """Make all access tokens of a session or an API token void."""
    await tx.execute(text(_REVOKE), {"id": id_})


async def revoke_if_changed(tx: WriteTx, user_id: UUID, *, role: str | None, status: str) -> None:
    """Make a user's access tokens void if his account may do other things until now than with this role and status."""
    await tx.execute(text(_REVOKE_IF_CHANGED), {"id": user_id, "role": role, "status": status})


async def list_since(tx: ReadTx, cursor: str) -> tuple[Sequence[Revocation], str]:
    """What is void and was committed since that cursor, and the next cursor; "" for all that still matters."""
    since = cursor if cursor.isdecimal() else "0"
    rows = await tx.fetch_all(text(_SINCE).bindparams(since=since, kept=KEPT_SECONDS))
    return [Revocation(row.id, row.version) for row in rows if row.id is not None], rows[0].cursor


async def forget_old(tx: WriteTx) -> None:
    """Delete what concerns no token any more."""
    await tx.execute(text(_FORGET), {"kept": KEPT_SECONDS})
