"""Reads of changelog: keyset pages, and never one query per row."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Integer,
    Row,
    Select,
    TextClause,
    Uuid,
    bindparam,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY

from changelog_service.domain import Changelog, ChangelogState, Deployment, Repository, StoredCommit
from changelog_service.errors import ChangelogNotFound
from changelog_service.store import (
    changelog_of,
    changelogs,
    commits,
    deployment_of,
    name_key,
    repository_of,
    stored_commit_of,
)
from changelog_service.tables import CHANGELOGS, COMMITS, DEPLOYMENTS, REPOSITORIES
from chassis.db import ReadTx, among
from chassis.errors import CursorInvalid, InvalidArgument
from chassis.paging import Page, Slice, decode_cursor, encode_cursor

MAXIMUM_SEARCH_CHARACTERS = 200
MAXIMUM_PAGE_BYTES = 5_000_000
"""Of Markdown and JSON in one answer with changelogs; the entries say about the same once more."""
T = TypeVar("T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# As in the index: commits without a time come last.
COMMITTED_AT: ColumnElement[datetime] = func.coalesce(
    COMMITS.c.committed_at, literal_column("timestamptz '0001-01-01 00:00:00+00'")
)


async def get_changelog(changelog_id: UUID, tx: ReadTx) -> Changelog:
    """One changelog, draft or not.

    Raises:
        ChangelogNotFound: no changelog has this id.
    """
    row = await tx.fetch_one(changelogs().where(CHANGELOGS.c.id == changelog_id))
    if row is None:
        raise ChangelogNotFound(changelog_id)
    return changelog_of(row)


async def batch_get_changelogs(ids: Sequence[UUID], tx: ReadTx, *, drafts: bool) -> list[Changelog]:
    """The changelogs that exist among the ids; a draft does only where drafts do.

    Raises:
        InvalidArgument: they are so large that no answer holds them.
    """
    wanted = _visible(_sizes().where(among(CHANGELOGS.c.id, ids)), drafts=drafts)
    rows = await tx.fetch_all(_fitting(wanted))
    if rows and len(rows) < rows[0].wanted_count:
        raise InvalidArgument("these changelogs are larger than one answer can be; ask for fewer at once", field="ids")
    return [changelog_of(row) for row in rows]


async def batch_get_repositories(ids: Sequence[UUID], tx: ReadTx) -> list[Repository]:
    """The repositories that exist among the ids."""
    statement = select(REPOSITORIES).where(among(REPOSITORIES.c.id, ids))
    return [repository_of(row) for row in await tx.fetch_all(statement)]


async def batch_get_commits(ids: Sequence[UUID], tx: ReadTx) -> list[StoredCommit]:
    """The commits that exist among the ids."""
    return [stored_commit_of(row) for row in await tx.fetch_all(commits().where(among(COMMITS.c.id, ids)))]


async def batch_get_deployments(ids: Sequence[UUID], tx: ReadTx) -> list[Deployment]:
    """The deployments that exist among the ids."""
    statement = select(DEPLOYMENTS).where(among(DEPLOYMENTS.c.id, ids))
    return [deployment_of(row) for row in await tx.fetch_all(statement)]


async def list_changelogs(
    page: Page, tx: ReadTx, *, repository_name: str, state: ChangelogState | None, drafts: bool
) -> Slice[Changelog]:
    """A page of changelogs, the newest first; fewer than asked for when they are so large that no answer holds them.

    Raises:
        CursorInvalid: the cursor is not of this list.
    """
    statement = _visible(_sizes(), drafts=drafts).order_by(CHANGELOGS.c.id.desc()).limit(page.first + 1)
    if page.after:
        statement = statement.where(CHANGELOGS.c.id < decode_cursor(page.after, UUID)[0])
    if repository_name:
        statement = statement.where(REPOSITORIES.c.name_key == name_key(repository_name))
    if state is not None:
        statement = statement.where(CHANGELOGS.c.state == state.value)
    rows = await tx.fetch_all(_fitting(statement).limit(page.first))
    found = tuple(changelog_of(row) for row in rows)
    more = bool(rows) and rows[0].wanted_count > len(rows)
    return Slice(found, tuple(encode_cursor(str(changelog.id)) for changelog in found), more)


async def list_repositories(page: Page, tx: ReadTx, *, name: str) -> Slice[Repository]:
    """A page of repositories by name.

    Raises:
        CursorInvalid: the cursor is not of this list.
    """
    statement = select(REPOSITORIES).order_by(REPOSITORIES.c.name_key).limit(page.first + 1)
    if page.after:
        statement = statement.where(REPOSITORIES.c.name_key > decode_cursor(page.after, str)[0])
    if name:
        statement = statement.where(REPOSITORIES.c.name_key == name_key(name))
    found, more = _cut([repository_of(row) for row in await tx.fetch_all(statement)], page)
    return Slice(found, tuple(encode_cursor(name_key(repository.name)) for repository in found), more)


async def list_commits(page: Page, tx: ReadTx, *, repository_name: str, text: str) -> Slice[StoredCommit]:
    """A page of commits by the time of commit, the newest first; those without a time come last.

    Raises:
        CursorInvalid: the cursor is not of this list.
        InvalidArgument: the text is too long.
    """
    statement = commits().order_by(COMMITTED_AT.desc(), COMMITS.c.id.desc()).limit(page.first + 1)
    if page.after:
        microseconds, after = decode_cursor(page.after, int, UUID)
        statement = statement.where(
            tuple_(COMMITTED_AT, COMMITS.c.id) < tuple_(literal(_moment(microseconds)), literal(after, Uuid))
        )
    if repository_name:
        wanted = select(REPOSITORIES.c.id).where(REPOSITORIES.c.name_key == name_key(repository_name))
        statement = statement.where(COMMITS.c.repository_id == wanted.scalar_subquery())
    for word in _words(text):
        statement = statement.where(COMMITS.c.message.ilike(f"%{word}%", escape="\\"))
    found, more = _cut([stored_commit_of(row) for row in await tx.fetch_all(statement)], page)
    cursors = (encode_cursor(_microseconds(each.commit.committed_at), str(each.id)) for each in found)
    return Slice(found, tuple(cursors), more)


async def list_deployments(page: Page, tx: ReadTx, *, service: str, environment: str) -> Slice[Deployment]:
    """A page of deployments by the time they were live, the newest first.

    Raises:
        CursorInvalid: the cursor is not of this list.
    """
    columns = DEPLOYMENTS.c
    statement = select(DEPLOYMENTS).order_by(columns.deployed_at.desc(), columns.id.desc()).limit(page.first + 1)
    if page.after:
        microseconds, after = decode_cursor(page.after, int, UUID)
        statement = statement.where(
            tuple_(columns.deployed_at, columns.id) < tuple_(literal(_moment(microseconds)), literal(after, Uuid))
        )
    if service:
        statement = statement.where(columns.service == service)
    if environment:
        statement = statement.where(columns.environment == environment)
    found, more = _cut([deployment_of(row) for row in await tx.fetch_all(statement)], page)
    cursors = (encode_cursor(_microseconds(each.deployed_at), str(each.id)) for each in found)
    return Slice(found, tuple(cursors), more)


async def batch_list_changelog_commits(
    ids: Sequence[UUID], first: int, tx: ReadTx, *, drafts: bool
) -> dict[UUID, list[StoredCommit]]:
    """The first stored commits that each changelog is about, in the order of its range."""
    rows = await tx.fetch_all(_of_changelogs(_COMMITS_OF, ids, first, drafts=drafts))
    return _grouped(rows, stored_commit_of)


async def batch_list_changelog_deployments(
    ids: Sequence[UUID], first: int, tx: ReadTx, *, drafts: bool
) -> dict[UUID, list[Deployment]]:
    """The newest deployments that were built from a commit of each changelog."""
    rows = await tx.fetch_all(_of_changelogs(_DEPLOYMENTS_OF, ids, first, drafts=drafts))
    return _grouped(rows, deployment_of)


_COMMITS_OF = sql("""
    SELECT l.id AS changelog_id, c.*,
        ARRAY(SELECT t.name FROM tags AS t WHERE t.commit_id = c.id ORDER BY t.name) AS tags
    FROM changelogs AS l
    CROSS JOIN LATERAL (
        SELECT c.*, n.position
        FROM changelog_commits AS n
        JOIN commits AS c ON c.repository_id = l.repository_id AND c.sha = n.sha
        WHERE n.changelog_id = l.id
        ORDER BY n.position LIMIT :first
    ) AS c
    WHERE l.id = ANY(:ids) AND (:drafts OR l.state = 'PUBLISHED')
    ORDER BY l.id, c.position
""")
_DEPLOYMENTS_OF = sql("""
    SELECT l.id AS changelog_id, d.*
    FROM changelogs AS l
    CROSS JOIN LATERAL (
        SELECT d.*
        FROM changelog_commits AS n
        JOIN deployments AS d ON d.sha = n.sha AND d.sha <> ''
        WHERE n.changelog_id = l.id AND (d.repository_id IS NULL OR d.repository_id = l.repository_id)
        ORDER BY d.deployed_at DESC, d.id DESC LIMIT :first
    ) AS d
    WHERE l.id = ANY(:ids) AND (:drafts OR l.state = 'PUBLISHED')
    ORDER BY l.id, d.deployed_at DESC, d.id DESC
""")


def _of_changelogs(statement: TextClause, ids: Sequence[UUID], first: int, *, drafts: bool) -> TextClause:
    return statement.bindparams(
        bindparam("ids", list(ids), ARRAY(Uuid)),
        bindparam("first", first, Integer),
        bindparam("drafts", drafts, Boolean),
    )


def _grouped(rows: Sequence[Row[Any]], convert: Callable[[Row[Any]], T]) -> dict[UUID, list[T]]:
    grouped: dict[UUID, list[T]] = {}
    for row in rows:
        grouped.setdefault(row.changelog_id, []).append(convert(row))
    return grouped


def _sizes() -> Select[Any]:
    """Ids of changelogs with the bytes of their notes, which Postgres knows without reading them."""
    size = func.octet_length(CHANGELOGS.c.markdown) + func.octet_length(CHANGELOGS.c.json)
    return select(CHANGELOGS.c.id, size.label("bytes")).join(
        REPOSITORIES, REPOSITORIES.c.id == CHANGELOGS.c.repository_id
    )


def _fitting(sizes: Select[Any]) -> Select[Any]:
    """As many of the wanted changelogs as an answer holds, one at least, the newest first; the others are not read.

    Each says how many were wanted.
    """
    wanted = sizes.subquery("wanted")
    newest = wanted.c.id.desc()
    running = select(
        wanted.c.id,
        func.row_number().over(order_by=newest).label("place"),
        func.sum(wanted.c.bytes).over(order_by=newest).label("bytes"),
        func.count().over().label("wanted_count"),
    ).subquery("running")
    return (
        changelogs()
        .add_columns(running.c.wanted_count)
        .join(running, running.c.id == CHANGELOGS.c.id)
        .where(or_(running.c.place == 1, running.c.bytes <= MAXIMUM_PAGE_BYTES))
        .order_by(CHANGELOGS.c.id.desc())
    )


def _visible(statement: Select[Any], *, drafts: bool) -> Select[Any]:
    return statement if drafts else statement.where(CHANGELOGS.c.state == ChangelogState.PUBLISHED.value)


def _words(wanted: str) -> list[str]:
    """The words that are looked for, each once and made for LIKE."""
    if len(wanted) > MAXIMUM_SEARCH_CHARACTERS or "\x00" in wanted:
        raise InvalidArgument(f"this may have at most {MAXIMUM_SEARCH_CHARACTERS} characters and no NUL", field="text")
    return [
        word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") for word in dict.fromkeys(wanted.split())
    ]


def _microseconds(moment: datetime | None) -> int:
    return ((moment or datetime(1, 1, 1, tzinfo=UTC)) - _EPOCH) // timedelta(microseconds=1)


def _moment(microseconds: int) -> datetime:
    try:
        return _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        raise CursorInvalid(
            "this is no cursor of this list; pass the end cursor of the page before, or nothing",
            field="page.after",
        ) from None


def _cut(items: list[T], page: Page) -> tuple[tuple[T, ...], bool]:
    return tuple(items[: page.first]), len(items) > page.first
