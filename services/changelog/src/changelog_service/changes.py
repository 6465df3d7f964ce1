"""The changes before moments: one statement for any number of them, and each change that it gives is not later."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import DateTime, Integer, Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

from changelog_service.commands import ChangesBeforeQuery
from changelog_service.domain import Change, ChangesBefore
from changelog_service.store import deployment_of, stored_commit_of
from chassis.db import ReadTx

# Each branch stops by itself after the wanted number, in the order of an index: of the service, or of all. A branch
# that is not meant costs nothing, since its condition is seen before its rows.
_CHANGES = text("""
    WITH moments AS (
        SELECT * FROM unnest(:services, :starts, :ends) WITH ORDINALITY AS m (service, started_at, before, number)
    ),
    found AS (
        SELECT m.number, x.at, x.deployment_id, x.commit_id
        FROM moments AS m
        CROSS JOIN LATERAL (
            (
                SELECT d.deployed_at AS at, d.id AS deployment_id, NULL::uuid AS commit_id
                FROM deployments AS d
                WHERE m.service = '' AND d.deployed_at BETWEEN m.started_at AND m.before
                ORDER BY d.deployed_at DESC, d.id DESC LIMIT :most
            )
            UNION ALL
            (
                SELECT d.deployed_at, d.id, NULL
                FROM deployments AS d
                WHERE m.service <> '' AND d.service = m.service AND d.deployed_at BETWEEN m.started_at AND m.before
                ORDER BY d.deployed_at DESC, d.id DESC LIMIT :most
            )
            UNION ALL
            (
                SELECT c.committed_at, NULL, c.id
                FROM commits AS c
                WHERE m.service = ''
                    AND coalesce(c.committed_at, timestamptz '0001-01-01 00:00:00+00')
                    BETWEEN m.started_at AND m.before
                    AND c.committed_at IS NOT NULL
                ORDER BY coalesce(c.committed_at, timestamptz '0001-01-01 00:00:00+00') DESC, c.id DESC LIMIT :most
            )
            UNION ALL
            (
                SELECT c.committed_at, NULL, c.id
                FROM repositories AS r
                CROSS JOIN LATERAL (
                    SELECT c.committed_at, c.id
                    FROM commits AS c
                    WHERE c.repository_id = r.id
                        AND coalesce(c.committed_at, timestamptz '0001-01-01 00:00:00+00')
                        BETWEEN m.started_at AND m.before
                        AND c.committed_at IS NOT NULL
                    ORDER BY coalesce(c.committed_at, timestamptz '0001-01-01 00:00:00+00') DESC, c.id DESC LIMIT :most
                ) AS c
                WHERE m.service <> '' AND (r.services = '{}' OR m.service = ANY(r.services))
                ORDER BY c.committed_at DESC, c.id DESC LIMIT :most
            )
            ORDER BY at DESC, deployment_id DESC NULLS LAST, commit_id DESC LIMIT :most
        ) AS x
    )
    SELECT f.number, f.at, f.deployment_id,
        coalesce(d.id, c.id) AS id, coalesce(d.repository_id, c.repository_id) AS repository_id,
        coalesce(d.sha, c.sha) AS sha,
        d.service, d.environment, d.version_name, d.url, d.deployed_at, d.external_reference,
        d.created_by_kind, d.created_by_id, d.created_at,
        c.message, c.author_name, c.author_email, c.committed_at, c.parent_shas, c.paths, c.type, c.scope, c.breaking,
        c.conventional, ARRAY(SELECT t.name FROM tags AS t WHERE t.commit_id = c.id ORDER BY t.name) AS tags
    FROM found AS f
    LEFT JOIN deployments AS d ON d.id = f.deployment_id
    LEFT JOIN commits AS c ON c.id = f.commit_id
    ORDER BY f.number, f.at DESC, f.deployment_id DESC NULLS LAST, f.commit_id DESC
""").bindparams(
    bindparam("services", type_=ARRAY(Text)),
    bindparam("starts", type_=ARRAY(DateTime(timezone=True))),
    bindparam("ends", type_=ARRAY(DateTime(timezone=True))),
    bindparam("most", type_=Integer),
)


async def batch_list_changes_before(
    wanted: Sequence[ChangesBeforeQuery], first: int, tx: ReadTx
) -> list[ChangesBefore]:
    """For each moment that has any: the newest changes in the window before it; one at the moment itself counts."""
    if not wanted:
        return []
    statement = _CHANGES.bindparams(
        services=[query.service for query in wanted],
        starts=[_start(query) for query in wanted],
        ends=[query.before for query in wanted],
        most=first + 1,  # one more than wanted, to see that there are more
    )
    grouped: dict[int, list[Change]] = {}
    for row in await tx.fetch_all(statement):
        what = stored_commit_of(row) if row.deployment_id is None else deployment_of(row)
        grouped.setdefault(row.number, []).append(Change(row.at, what))
    return [
        ChangesBefore(wanted[number - 1].key, tuple(changes[:first]), len(changes) > first)
        for number, changes in grouped.items()
    ]


def _start(query: ChangesBeforeQuery) -> datetime:
    """The beginning of the window; there is nothing before the first year of the calendar."""
    try:
        return query.before - timedelta(seconds=query.window_seconds)
    except OverflowError:
        return datetime(1, 1, 1, tzinfo=UTC)
