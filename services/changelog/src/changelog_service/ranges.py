"""Reads of what was pushed that a range needs: its two ends, and the walk between them. SQL only."""

from uuid import UUID

from sqlalchemy import select, text

from changelog_service.commits import Commit
from changelog_service.store import commit_of
from changelog_service.tables import COMMITS, TAGS
from chassis.db import ReadTx


async def resolve(tx: ReadTx, repository_id: UUID, ref: str) -> tuple[UUID, str] | None:
    """Id and hash of the one commit that a tag, a hash or the start of a hash names; a tag goes first.

    None when nothing or more than one commit has it.
    """
    tagged = select(COMMITS.c.id, COMMITS.c.sha).join_from(TAGS, COMMITS, COMMITS.c.id == TAGS.c.commit_id)
    row = await tx.fetch_one(tagged.where(TAGS.c.repository_id == repository_id, TAGS.c.name == ref))
    if row is None:
        start = ref.lower()
        if not (4 <= len(start) <= 64 and set(start) <= set("0123456789abcdef")):  # noqa: PLR2004 - as git has it
            return None
        hashed = select(COMMITS.c.id, COMMITS.c.sha).where(
            COMMITS.c.repository_id == repository_id, COMMITS.c.sha >= start, COMMITS.c.sha < start + "g"
        )
        rows = await tx.fetch_all(hashed.order_by(COMMITS.c.sha).limit(2))
        if not rows or (len(rows) > 1 and rows[0].sha != start):
            return None
        row = rows[0]
    return row.id, row.sha


async def tags_of(tx: ReadTx, commit_id: UUID) -> list[str]:
    """The tags that name a commit, by name."""
    statement = select(TAGS.c.name).where(TAGS.c.commit_id == commit_id).order_by(TAGS.c.name)
    return [row.name for row in await tx.fetch_all(statement)]


async def walk(
    tx: ReadTx, repository_id: UUID, from_sha: str, to_sha: str, *, limit: int
) -> tuple[dict[str, Commit | None], list[str]]:
    """The commits that one reaches and the other does not, by hash, at most so many; None for one nobody pushed.

    When one of them is a first commit, also an unpushed commit that `from_sha` reaches, if there is any.
    """
    rows = await tx.fetch_all(_RANGE.bindparams(repository=repository_id, start=from_sha, end=to_sha, most=limit))
    found = {row.sha: None if row.message is None else commit_of(row) for row in rows if not row.before}
    return found, [row.sha for row in rows if row.before]


# What `start` reaches is kept as a set of hashes, unpushed parents included; the walk from `end` stops at it. NOT IN
# over a set that does not change is one hash table for the whole walk. The whole set is looked through for unpushed
# commits only where somebody needs to know.
_RANGE = text("""
    WITH RECURSIVE before (sha) AS (
        SELECT CAST(:start AS text) COLLATE "C" WHERE :start <> ''
        UNION
        SELECT p.sha COLLATE "C"
        FROM before AS b
        JOIN commits AS c ON c.repository_id = :repository AND c.sha = b.sha
        CROSS JOIN LATERAL unnest(c.parent_shas) AS p (sha)
    ),
    inside (sha) AS (
        SELECT CAST(:end AS text) COLLATE "C" WHERE CAST(:end AS text) COLLATE "C" NOT IN (SELECT sha FROM before)
        UNION
        SELECT p.sha COLLATE "C"
        FROM inside AS i
        JOIN commits AS c ON c.repository_id = :repository AND c.sha = i.sha
        CROSS JOIN LATERAL unnest(c.parent_shas) AS p (sha)
        WHERE p.sha COLLATE "C" NOT IN (SELECT sha FROM before)
    ),
    walked AS (
        SELECT i.sha, c.id, c.message, c.author_name, c.author_email, c.committed_at, c.parent_shas, c.paths
        FROM (SELECT sha FROM inside LIMIT :most) AS i
        LEFT JOIN LATERAL (
            SELECT c.* FROM commits AS c WHERE c.repository_id = :repository AND c.sha = i.sha LIMIT 1
        ) AS c ON true
    ),
    unpushed AS (
        SELECT b.sha FROM before AS b
        WHERE EXISTS (SELECT FROM walked AS w WHERE w.parent_shas = '{}')
            AND NOT EXISTS (SELECT FROM commits AS c WHERE c.repository_id = :repository AND c.sha = b.sha)
        LIMIT 1
    )
    SELECT w.sha, false AS before, w.message, w.author_name, w.author_email, w.committed_at, w.parent_shas, w.paths,
        ARRAY(SELECT t.name FROM tags AS t WHERE t.commit_id = w.id ORDER BY t.name) AS tags
    FROM walked AS w
    UNION ALL
    SELECT u.sha, true, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM unpushed AS u
""")
