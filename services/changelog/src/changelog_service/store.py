"""Writes and locked reads of changelog. SQL only: nothing here decides, nothing here commits."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, Text, any_, func, insert, literal, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert

from changelog_service.commits import Bump, Commit, Entry, Excluded, ExclusionReason, Section
from changelog_service.domain import (
    Changelog,
    ChangelogState,
    Deployment,
    Highlight,
    Highlights,
    HighlightsSuggestion,
    HighlightState,
    Repository,
    StoredCommit,
)
from changelog_service.errors import ChangelogNotFound, DeploymentReferenceTaken
from changelog_service.tables import CHANGELOGS, COMMITS, DEPLOYMENTS, REPOSITORIES, TAGS
from chassis.db import WriteTx
from chassis.errors import VersionConflict


class RepositoryStore:
    """Repositories and what was pushed to them, inside one write transaction."""

    COLUMNS = (
        "id", "repository_id", "sha", "message", "author_name", "author_email", "committed_at", "parent_shas", "paths",
        "type", "scope", "breaking", "conventional",
    )  # fmt: skip

    def __init__(self, tx: WriteTx) -> None:
        self._tx = tx

    async def find(self, name: str, *, lock: bool = False) -> Repository | None:
        """The repository with this name, regardless of case; locked until the transaction ends when wanted."""
        statement = select(REPOSITORIES).where(REPOSITORIES.c.name_key == name_key(name))
        row = await self._tx.fetch_one(statement.with_for_update() if lock else statement)
        return None if row is None else repository_of(row)

    async def add(self, repository: Repository) -> bool:
        """Insert a new repository; whether nobody else did."""
        statement = upsert(REPOSITORIES).values(
            id=repository.id,
            version=repository.version,
            name=repository.name,
            name_key=name_key(repository.name),
            services=list(repository.services),
            commit_count=repository.commit_count,
            created_at=repository.created_at,
            updated_at=repository.updated_at,
        )
        statement = statement.on_conflict_do_nothing(index_elements=[REPOSITORIES.c.name_key])
        return await self._tx.fetch_one(statement.returning(REPOSITORIES.c.id)) is not None

    async def save(self, repository: Repository) -> None:
        """Write a changed repository that is locked."""
        await self._tx.execute(
            update(REPOSITORIES)
            .where(REPOSITORIES.c.id == repository.id)
            .values(
                version=repository.version,
                services=list(repository.services),
                commit_count=repository.commit_count,
                updated_at=repository.updated_at,
            )
        )

    async def ids(self, repository_id: UUID, shas: Sequence[str]) -> dict[str, UUID]:
        """Ids of the stored commits among these hashes, by hash."""
        statement = select(COMMITS.c.sha, COMMITS.c.id).where(
            COMMITS.c.repository_id == repository_id, COMMITS.c.sha == any_(literal(list(shas), ARRAY(Text)))
        )
        return {row.sha: row.id for row in await self._tx.fetch_all(statement)}

    async def add_commits(self, commits: Sequence[StoredCommit]) -> None:
        """Insert new commits; the repository is locked, so nobody else inserts them."""
        await self._tx.copy(
            "commits",
            self.COLUMNS,
            (
                (
                    stored.id, stored.repository_id, stored.commit.sha, stored.commit.message,
                    stored.commit.author_name, stored.commit.author_email, stored.commit.committed_at,
                    list(stored.commit.parent_shas), list(stored.commit.paths), stored.type, stored.scope,
                    stored.breaking, stored.conventional,
                )
                for stored in commits
            ),
        )  # fmt: skip

    async def tag(self, repository_id: UUID, tags: dict[str, UUID]) -> None:
        """Let each tag name its commit, whatever it named before."""
        if not tags:
            return
        rows = [{"repository_id": repository_id, "name": name, "commit_id": tags[name]} for name in sorted(tags)]
        statement = upsert(TAGS).values(rows)
        await self._tx.execute(
            statement.on_conflict_do_update(
                index_elements=[TAGS.c.repository_id, TAGS.c.name],
                set_={"commit_id": statement.excluded.commit_id},
            )
        )


class ChangelogStore:
    """Changelogs inside one write transaction."""

    def __init__(self, tx: WriteTx) -> None:
        self._tx = tx

    async def get_for_update(self, changelog_id: UUID) -> Changelog:
        """The changelog, locked until the transaction ends.

        Raises:
            ChangelogNotFound: there is none.
        """
        row = await self._tx.fetch_one(
            changelogs().where(CHANGELOGS.c.id == changelog_id).with_for_update(of=CHANGELOGS)
        )
        if row is None:
            raise ChangelogNotFound(changelog_id)
        return changelog_of(row)

    async def add(self, changelog: Changelog, shas: Sequence[str]) -> None:
        """Insert a new changelog with the commits of its range, in their order."""
        await self._tx.execute(insert(CHANGELOGS).values(_changelog_values(changelog)))
        rows = ((changelog.id, position, sha) for position, sha in enumerate(shas))
        await self._tx.copy("changelog_commits", ("changelog_id", "position", "sha"), rows)

    async def save(self, changelog: Changelog, *, expected_version: int) -> None:
        """Write a changed changelog over the version that the change was made from; its notes stay.

        Raises:
            VersionConflict: the row has another version; nothing was written.
        """
        statement = (
            update(CHANGELOGS)
            .where(CHANGELOGS.c.id == changelog.id, CHANGELOGS.c.version == expected_version)
            .values(_changing_values(changelog))
        )
        if (await self._tx.execute(statement)).rowcount != 1:
            actual = await self._tx.fetch_one(select(CHANGELOGS.c.version).where(CHANGELOGS.c.id == changelog.id))
            raise VersionConflict(
                expected=expected_version, actual=actual.version if actual else 0, kind="changelog", id=changelog.id
            )


async def add_deployment(deployment: Deployment, tx: WriteTx) -> None:
    """Insert a new deployment.

    Raises:
        DeploymentReferenceTaken: one with its external reference exists; nothing was written.
    """
    statement = upsert(DEPLOYMENTS).values(
        id=deployment.id,
        service=deployment.service,
        environment=deployment.environment,
        version_name=deployment.version_name,
        repository_id=deployment.repository_id,
        sha=deployment.sha,
        url=deployment.url,
        deployed_at=deployment.deployed_at,
        external_reference=deployment.external_reference,
        created_by_kind=deployment.created_by_kind,
        created_by_id=deployment.created_by_id,
        created_at=deployment.created_at,
    )
    taken = text("external_reference <> ''")
    statement = statement.on_conflict_do_nothing(index_elements=[DEPLOYMENTS.c.external_reference], index_where=taken)
    if await tx.fetch_one(statement.returning(DEPLOYMENTS.c.id)) is None:
        raise DeploymentReferenceTaken(
            f"a deployment with the external reference {deployment.external_reference} exists; it was recorded before",
            external_reference=deployment.external_reference,
            field="external_reference",
        )


def name_key(name: str) -> str:
    """The name as it is compared: regardless of case."""
    return name.casefold()


def changelogs() -> Select[Any]:
    """A query on changelogs with the names of their repositories."""
    return select(CHANGELOGS, REPOSITORIES.c.name.label("repository_name")).join_from(
        CHANGELOGS, REPOSITORIES, REPOSITORIES.c.id == CHANGELOGS.c.repository_id
    )


def commits() -> Select[Any]:
    """A query on commits with the tags that name them."""
    names = select(TAGS.c.name).where(TAGS.c.commit_id == COMMITS.c.id).order_by(TAGS.c.name).correlate(COMMITS)
    return select(COMMITS, func.array(names.scalar_subquery(), type_=ARRAY(Text)).label("tags"))


def repository_of(row: Row[Any]) -> Repository:
    """A repository from its row."""
    return Repository(
        row.id, row.version, row.name, tuple(row.services), row.commit_count, row.created_at, row.updated_at
    )


def commit_of(row: Row[Any]) -> Commit:
    """What was pushed, from its row."""
    return Commit(
        sha=row.sha,
        message=row.message,
        author_name=row.author_name,
        author_email=row.author_email,
        committed_at=row.committed_at,
        parent_shas=tuple(row.parent_shas),
        tags=tuple(row.tags),
        paths=tuple(row.paths),
    )


def stored_commit_of(row: Row[Any]) -> StoredCommit:
    """A stored commit from its row."""
    return StoredCommit(
        id=row.id,
        repository_id=row.repository_id,
        commit=commit_of(row),
        type=row.type,
        scope=row.scope,
        breaking=row.breaking,
        conventional=row.conventional,
    )


def deployment_of(row: Row[Any]) -> Deployment:
    """A deployment from its row."""
    return Deployment(**{name: getattr(row, name) for name in DEPLOYMENTS.c.keys()})  # noqa: SIM118 - not a mapping


def changelog_of(row: Row[Any]) -> Changelog:
    """A changelog from its row."""
    values = {name: getattr(row, name) for name in (*CHANGELOGS.c.keys(), "repository_name")}
    values["state"] = ChangelogState(row.state)
    values["bump"] = Bump(row.bump)
    values["highlight_state"] = HighlightState(row.highlight_state)
    values["entries"] = tuple(
        Entry(
            **{
                **stored,
                "section": Section(stored["section"]),
                "commit_shas": tuple(stored["commit_shas"]),
                "references": tuple(stored["references"]),
            }
        )
        for stored in row.entries
    )
    values["excluded"] = tuple(
        Excluded(**{**stored, "reason": ExclusionReason(stored["reason"])}) for stored in row.excluded
    )
    if row.highlights is not None:
        values["highlights"] = _highlights_of(row.highlights)
    values["highlight_suggestions"] = tuple(
        HighlightsSuggestion(
            id=UUID(each["id"]),
            highlights=_highlights_of(each["highlights"]),
            read_version=each["read_version"],
            suggested_at=datetime.fromisoformat(each["suggested_at"]),
        )
        for each in row.highlight_suggestions
    )
    return Changelog(**values)


def highlights_values(found: Highlights) -> dict[str, Any]:
    """Highlights as JSON keeps them."""
    return {
        "highlights": [
            {"text": each.text, "entry_keys": list(each.entry_keys), "engine": each.engine} for each in found.highlights
        ],
        "engine": found.engine,
        "model": found.model,
        "run_id": found.run_id,
        "fallback_reason": found.fallback_reason,
        "replaced_count": found.replaced_count,
    }


def suggestion_values(suggestion: HighlightsSuggestion) -> dict[str, Any]:
    """A suggestion as JSON keeps it."""
    return {
        "id": str(suggestion.id),
        "highlights": highlights_values(suggestion.highlights),
        "read_version": suggestion.read_version,
        "suggested_at": suggestion.suggested_at.isoformat(),
    }


def _highlights_of(stored: Mapping[str, Any]) -> Highlights:
    sentences = tuple(
        Highlight(each["text"], tuple(each["entry_keys"]), each["engine"]) for each in stored["highlights"]
    )
    return Highlights(**{**stored, "highlights": sentences})


def _changelog_values(changelog: Changelog) -> dict[str, object]:
    return {
        "id": changelog.id,
        "repository_id": changelog.repository_id,
        "from_ref": changelog.from_ref,
        "to_ref": changelog.to_ref,
        "bump": changelog.bump.value,
        "bump_sha": changelog.bump_sha,
        "previous_version": changelog.previous_version,
        "next_version": changelog.next_version,
        "entries": [vars(entry) for entry in changelog.entries],
        "excluded": [vars(excluded) for excluded in changelog.excluded],
        "commit_count": changelog.commit_count,
        "markdown": changelog.markdown,
        "json": changelog.json,
        "created_by_kind": changelog.created_by_kind,
        "created_by_id": changelog.created_by_id,
        "created_at": changelog.created_at,
        **_changing_values(changelog),
    }


def _changing_values(changelog: Changelog) -> dict[str, object]:
    return {
        "version": changelog.version,
        "state": changelog.state.value,
        "highlight_state": changelog.highlight_state.value,
        "highlights": None if changelog.highlights is None else highlights_values(changelog.highlights),
        "highlight_failure": changelog.highlight_failure,
        "highlight_suggestions": list(map(suggestion_values, changelog.highlight_suggestions)),
        "updated_at": changelog.updated_at,
        "published_by_kind": changelog.published_by_kind,
        "published_by_id": changelog.published_by_id,
        "published_at": changelog.published_at,
    }
