"""What the history keeps of a changelog, and who sees it there."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from changelog_service import queries
from changelog_service.domain import Changelog, ChangelogState
from changelog_service.policy import HISTORY, RULES, VEILED, sees_drafts
from changelog_service.store import changelog_of, changelogs, highlights_values, suggestion_values
from changelog_service.tables import CHANGELOGS
from chassis.db import ReadTx
from chassis.history import Document, Hiding, History, Json, unchanged
from chassis.identity import Call


def document(changelog: Changelog) -> Document:
    """A changelog as history keeps it: of the notes, which the entries make up, the digests."""
    published_by: Json = None
    if changelog.published_by_kind is not None:
        published_by = {"kind": changelog.published_by_kind, "id": changelog.published_by_id}
    return Document(
        changelog.id,
        changelog.version,
        {
            "repository_id": str(changelog.repository_id),
            "repository_name": changelog.repository_name,
            "from_ref": changelog.from_ref,
            "to_ref": changelog.to_ref,
            "state": changelog.state.value,
            "bump": changelog.bump.value,
            "bump_sha": changelog.bump_sha,
            "previous_version": changelog.previous_version,
            "next_version": changelog.next_version,
            "entries": [
                {
                    **vars(entry),
                    "section": entry.section.value,
                    "commit_shas": list(entry.commit_shas),
                    "references": list(entry.references),
                }
                for entry in changelog.entries
            ],
            "excluded": [{**vars(each), "reason": each.reason.value} for each in changelog.excluded],
            "commit_count": changelog.commit_count,
            "markdown_sha256": _digest(changelog.markdown),
            "json_sha256": _digest(changelog.json),
            "highlight_state": changelog.highlight_state.value,
            "highlights": None if changelog.highlights is None else highlights_values(changelog.highlights),
            "highlight_failure": changelog.highlight_failure,
            "highlight_suggestions": list(map(suggestion_values, changelog.highlight_suggestions)),
            "created_by": {"kind": changelog.created_by_kind, "id": changelog.created_by_id},
            "created_at": _moment(changelog.created_at),
            "published_by": published_by,
            "published_at": None if changelog.published_at is None else _moment(changelog.published_at),
        },
    )


async def current(tx: ReadTx, changelog_id: UUID, call: Call) -> Changelog | None:
    """The changelog, for whoever may read it; drafts exist for few."""
    if call.viewer is None or not RULES["BatchGetChangelogs"].admits(call.viewer):
        return None
    found = await queries.batch_get_changelogs([changelog_id], tx, drafts=sees_drafts(call))
    return found[0] if found else None


async def iterate(tx: ReadTx, after_id: UUID | None, limit: int) -> Sequence[Changelog]:
    """Changelogs by id."""
    statement = changelogs().order_by(CHANGELOGS.c.id).limit(limit)
    if after_id is not None:
        statement = statement.where(CHANGELOGS.c.id > after_id)
    return [changelog_of(row) for row in await tx.fetch_all(statement)]


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def veil(_changelog: Changelog, call: Call) -> Hiding | None:
    """What a changelog said as a draft, for whoever sees no drafts."""
    if sees_drafts(call):
        return None
    return lambda past: VEILED if past["state"] != ChangelogState.PUBLISHED else frozenset()


HISTORIES = (
    History(
        kind="changelog",
        domain=Changelog,
        document=document,
        schema_version=1,
        upcast=unchanged,
        current=current,
        visible=HISTORY,
        iterate=iterate,
        veil=veil,
    ),
)
"""All that changelog keeps a history of."""
