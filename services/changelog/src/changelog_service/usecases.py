"""What can be done to changelogs: one function for each write, inside the caller's transaction."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from uuid import UUID

from changelog_service.commands import (
    CommitRange,
    DecideSuggestion,
    GenerateChangelog,
    PublishChangelog,
    PushCommits,
    RecordDeployment,
)
from changelog_service.commits import Commit, Version, make_notes, parse_version, read, to_json, to_markdown
from changelog_service.domain import (
    Changelog,
    ChangelogState,
    Deployment,
    Highlights,
    HighlightState,
    Repository,
    RepositoryCommitsPushed,
    StoredCommit,
    account_for,
    date_of,
)
from changelog_service.errors import (
    RangeEmpty,
    RepositoryNotFound,
    RevisionNotFound,
    TooManyCommits,
    VersionNameInvalid,
)
from changelog_service.history import guard_whole, newest_first
from changelog_service.limits import DEFAULT_ENVIRONMENT, MAXIMUM_AHEAD, MAXIMUM_NOTES_BYTES, MAXIMUM_RANGE_COMMITS
from changelog_service.ranges import resolve, tags_of, walk
from changelog_service.store import ChangelogStore, RepositoryStore, add_deployment
from chassis.db import WriteTx, guard_version
from chassis.errors import Internal, InvalidArgument
from chassis.ids import uuid7
from chassis.redaction import RedactionFailed, Redactor


async def push_commits(cmd: PushCommits, tx: WriteTx, redactor: Redactor) -> tuple[Repository, int]:
    """Store a batch of commits, whole or not at all; the repository, and how many of them were new.

    Raises:
        Internal: a message could not be redacted.
    """
    services = tuple(_cleaned(service, redactor) for service in cmd.services)
    repository = await _repository(_cleaned(cmd.repository_name, redactor), services, tx)
    store = RepositoryStore(tx)
    known = await store.ids(repository.id, [commit.sha for commit in cmd.commits])
    new = [commit for commit in cmd.commits if commit.sha not in known]
    stored = await asyncio.to_thread(_to_store, new, repository.id, redactor)
    await store.add_commits(stored)
    ids = known | {each.commit.sha: each.id for each in stored}
    tags = {_cleaned(tag, redactor): ids[commit.sha] for commit in cmd.commits for tag in commit.tags}
    await store.tag(repository.id, tags)
    repository, fact = repository.pushed(len(new), services, at=tx.now)
    await store.save(repository)
    tx.publish(fact)
    return repository, len(new)


async def generate_changelog(cmd: GenerateChangelog, tx: WriteTx, redactor: Redactor) -> Changelog:
    """Make a draft that accounts for each commit; its highlights follow in the background.

    Raises:
        RepositoryNotFound: a range was asked for, and no repository has the name.
        RevisionNotFound: an end of the range is no tag and no hash of a pushed commit.
        HistoryIncomplete: a commit that decides what the range holds was not pushed.
        RangeEmpty: the range holds no commit.
        TooManyCommits: the range holds more than 10,000, or their notes are too long to be sent.
        VersionNameInvalid: the version before is no semantic version.
        Internal: a message could not be redacted, or the notes do not account for each commit.
    """
    previous, name = _version(cmd.previous_version), _cleaned(cmd.repository_name, redactor)
    if isinstance(cmd.source, CommitRange):
        repository, commits, tagged, title = await _range(name, cmd.source, tx)
        from_ref, to_ref = cmd.source.from_ref, cmd.source.to_ref
        previous = previous or tagged
    else:
        repository = await _given(name, tx)
        commits = await asyncio.to_thread(_redacted, cmd.source, redactor)
        from_ref = to_ref = ""
        title = _tagged("", _tags_at_end(commits))
    changelog = await asyncio.to_thread(_draft, repository, commits, previous, title, tx)
    changelog = replace(changelog, from_ref=from_ref, to_ref=to_ref)
    if len(changelog.markdown.encode()) + len(changelog.json.encode()) > MAXIMUM_NOTES_BYTES:
        # Together with the entries this is what one answer can carry; texts of usual length never come near.
        raise TooManyCommits(
            f"the notes of these {len(commits):,} commits are too long to be sent; take fewer",
            maximum=str(len(commits) - 1),
            field="range" if to_ref else "commits",
        )
    await ChangelogStore(tx).add(changelog, [commit.sha for commit in commits])
    tx.changed(None, changelog, changelog.generated())
    return changelog


async def publish_changelog(cmd: PublishChangelog, tx: WriteTx) -> Changelog:
    """Make a draft what readers see.

    Raises:
        ChangelogNotFound: no changelog has this id.
        VersionConflict: it changed since it was read.
        ChangelogPublished: it is published already.
    """
    before = await _locked(cmd.changelog_id, cmd.expected_version, tx)
    changelog, fact = before.published(tx.actor.kind, tx.actor.id, at=tx.now)
    return await _saved(changelog, before, fact, tx)


async def accept_suggestion(cmd: DecideSuggestion, tx: WriteTx) -> Changelog:
    """Make suggested highlights those of their changelog; what is published keeps its notes.

    Raises:
        ChangelogNotFound: no changelog has this id.
        VersionConflict: it changed since it was read.
        ChangelogSuggestionNotFound: it has no such open suggestion.
    """
    before = await _locked(cmd.changelog_id, cmd.expected_version, tx)
    changelog, fact = before.suggestion_accepted(cmd.suggestion_id, at=tx.now)
    return await _saved(changelog, before, fact, tx)


async def dismiss_suggestion(cmd: DecideSuggestion, tx: WriteTx) -> Changelog:
    """Put suggested highlights away; the history of the changelog keeps them.

    Raises:
        ChangelogNotFound: no changelog has this id.
        VersionConflict: it changed since it was read.
        ChangelogSuggestionNotFound: it has no such open suggestion.
    """
    before = await _locked(cmd.changelog_id, cmd.expected_version, tx)
    changelog, fact = before.suggestion_dismissed(cmd.suggestion_id, at=tx.now)
    return await _saved(changelog, before, fact, tx)


async def store_highlights(changelog_id: UUID, highlights: Highlights, tx: WriteTx, *, read_version: int) -> None:
    """Give a draft the highlights that it waits for; beside one that does not any more, keep them as a suggestion.

    Raises:
        ChangelogNotFound: no changelog has this id.
    """
    before = await ChangelogStore(tx).get_for_update(changelog_id)
    if before.highlight_state is HighlightState.PENDING:
        changelog, highlighted = before.highlighted(highlights, at=tx.now)
        await _saved(changelog, before, highlighted, tx)
    elif highlights.highlights:
        changelog, kept = before.highlights_suggested(uuid7(), highlights, read_version=read_version, at=tx.now)
        await _saved(changelog, before, kept, tx)


async def store_highlight_failure(changelog_id: UUID, failure: str, tx: WriteTx) -> None:
    """Say why a draft has no highlights; one that does not wait for them stays as it is.

    Raises:
        ChangelogNotFound: no changelog has this id.
    """
    before = await ChangelogStore(tx).get_for_update(changelog_id)
    if before.highlight_state is HighlightState.PENDING:
        changelog, fact = before.highlights_failed(failure, at=tx.now)
        await _saved(changelog, before, fact, tx)


async def record_deployment(cmd: RecordDeployment, tx: WriteTx, redactor: Redactor) -> Deployment:
    """Store that a version went live.

    Raises:
        RepositoryNotFound: no repository has the name.
        DeploymentReferenceTaken: one with the external reference exists.
        InvalidArgument: it is to have been live in the future.
        Internal: a text could not be redacted.
    """
    deployed_at = cmd.deployed_at or tx.now
    if deployed_at > tx.now + MAXIMUM_AHEAD:
        raise InvalidArgument(
            f"this must be at most {MAXIMUM_AHEAD.seconds // 60} minutes ahead; record a deployment once it is live",
            field="deployed_at",
        )
    repository = None
    if cmd.repository_name:
        repository = await _existing(_cleaned(cmd.repository_name, redactor), tx)
    deployment = Deployment(
        id=uuid7(tx.now),
        service=_cleaned(cmd.service, redactor),
        environment=_cleaned(cmd.environment, redactor) or DEFAULT_ENVIRONMENT,
        version_name=_cleaned(cmd.version_name, redactor),
        repository_id=None if repository is None else repository.id,
        sha=cmd.sha,
        url=_cleaned(cmd.url, redactor),
        deployed_at=deployed_at,
        external_reference=_cleaned(cmd.external_reference, redactor),
        created_by_kind=tx.actor.kind,
        created_by_id=tx.actor.id,
        created_at=tx.now,
    )
    await add_deployment(deployment, tx)
    tx.publish(deployment.recorded())
    return deployment


async def _locked(changelog_id: UUID, expected_version: int, tx: WriteTx) -> Changelog:
    changelog = await ChangelogStore(tx).get_for_update(changelog_id)
    guard_version(expected=expected_version, actual=changelog.version, kind="changelog", id=changelog_id)
    return changelog


async def _saved(changelog: Changelog, before: Changelog, fact: object, tx: WriteTx) -> Changelog:
    await ChangelogStore(tx).save(changelog, expected_version=before.version)
    tx.changed(before, changelog, fact)
    return changelog


async def _repository(name: str, services: tuple[str, ...], tx: WriteTx) -> Repository:
    """The repository with this name, locked; made, one version before its first, when it is new."""
    store = RepositoryStore(tx)
    found = await store.find(name, lock=True)
    if found is not None:
        return found
    new = Repository(uuid7(tx.now), 1, name, services, 0, tx.now, tx.now)
    if await store.add(new):
        return replace(new, version=0)
    found = await store.find(name, lock=True)
    assert found is not None, "a repository is never deleted"
    return found


async def _given(name: str, tx: WriteTx) -> Repository:
    """The repository with this name; made when it is new, which is told as a batch without commits."""
    store = RepositoryStore(tx)
    new = Repository(uuid7(tx.now), 1, name, (), 0, tx.now, tx.now)
    if await store.find(name) is None and await store.add(new):
        tx.publish(RepositoryCommitsPushed(new.id, new.version, new.name, 0))
        return new
    return await _existing(name, tx)


async def _existing(name: str, tx: WriteTx) -> Repository:
    found = await RepositoryStore(tx).find(name)
    if found is None:
        raise RepositoryNotFound(
            "no repository has this name; list the repositories, or push commits to it", field="repository_name"
        )
    return found


async def _range(name: str, wanted: CommitRange, tx: WriteTx) -> tuple[Repository, tuple[Commit, ...], str, str]:
    """The repository, the commits of a range, newest first, and the versions that its two ends are tagged with."""
    repository = await _existing(name, tx)
    end, end_tags = await _revision(repository, wanted.to_ref, "range.to_ref", tx)
    start, version = "", ""
    if wanted.from_ref:
        start, tags = await _revision(repository, wanted.from_ref, "range.from_ref", tx)
        version = _tagged(wanted.from_ref, tags)
    # One more than may be, to see that there are more.
    found, unpushed = await walk(tx, repository.id, start, end, limit=MAXIMUM_RANGE_COMMITS + 1)
    if len(found) > MAXIMUM_RANGE_COMMITS:
        raise TooManyCommits(
            f"a range may hold {MAXIMUM_RANGE_COMMITS:,} commits, this holds more; let it begin at a later tag",
            maximum=str(MAXIMUM_RANGE_COMMITS),
            field="range",
        )
    if not found:
        raise RangeEmpty("the range holds no commit: its end is reached from its beginning", field="range")
    guard_whole(found, unpushed)
    commits = newest_first([commit for commit in found.values() if commit is not None])
    return repository, commits, version, _tagged(wanted.to_ref, end_tags)


async def _revision(repository: Repository, ref: str, field: str, tx: WriteTx) -> tuple[str, list[str]]:
    """Hash and tags of the commit that a tag or hash names."""
    found = await resolve(tx, repository.id, ref)
    if found is None:
        raise RevisionNotFound(
            f"{field} names no pushed commit: give a tag, a hash, or as much of its start as one commit alone has; "
            "or push the commits first",
            field=field,
        )
    commit_id, sha = found
    return sha, await tags_of(tx, commit_id)


def _tagged(ref: str, tags: Iterable[str]) -> str:
    """The version that a commit is tagged with: the tag that was named, else the highest one."""
    versions = {tag: version for tag in tags if (version := _parsed(tag)) is not None}
    if ref in versions:
        return ref
    return max(versions, key=lambda tag: (versions[tag].precedence, tag), default="")


def _tags_at_end(commits: Sequence[Commit]) -> tuple[str, ...]:
    """The tags of the one commit that all others lead to; none where there are several such."""
    parents = {sha for commit in commits for sha in commit.parent_shas}
    ends = [commit for commit in commits if commit.sha not in parents]
    return ends[0].tags if len(ends) == 1 else ()


def _parsed(text: str) -> Version | None:
    try:
        return parse_version(text)
    except ValueError:
        return None


def _version(text: str) -> str:
    """The version before, as it was given.

    Raises:
        VersionNameInvalid: it is no semantic version.
    """
    if text and _parsed(text) is None:
        raise VersionNameInvalid(
            "this must be a semantic version such as 1.4.2 or v1.4.2, or empty", field="previous_version"
        )
    return text


def _draft(
    repository: Repository, commits: Sequence[Commit], previous_version: str, tagged: str, tx: WriteTx
) -> Changelog:
    """The draft; its notes are headed by the version that its end is tagged with, else by the one that follows."""
    notes = make_notes(commits, previous_version=previous_version)
    account_for(commits, notes)
    title = tagged or notes.next_version
    return Changelog(
        id=uuid7(tx.now),
        version=1,
        repository_id=repository.id,
        repository_name=repository.name,
        from_ref="",
        to_ref="",
        state=ChangelogState.DRAFT,
        bump=notes.bump,
        bump_sha=notes.bump_sha,
        previous_version=notes.previous_version,
        next_version=notes.next_version,
        entries=notes.entries,
        excluded=notes.excluded,
        commit_count=notes.commit_count,
        markdown=to_markdown(notes, title=title, date=date_of(commits) if title else None),
        json=to_json(notes),
        # Where there is nothing to highlight, there is nothing to wait for.
        highlight_state=HighlightState.PENDING if notes.entries else HighlightState.READY,
        highlights=None,
        highlight_failure="",
        created_by_kind=tx.actor.kind,
        created_by_id=tx.actor.id,
        created_at=tx.now,
        updated_at=tx.now,
    )


def _to_store(commits: Sequence[Commit], repository_id: UUID, redactor: Redactor) -> list[StoredCommit]:
    found = map(read, _redacted(commits, redactor))
    return [
        StoredCommit(uuid7(), repository_id, each.commit, each.type, each.scope, each.breaking, each.conventional)
        for each in found
    ]


def _redacted(commits: Sequence[Commit], redactor: Redactor) -> tuple[Commit, ...]:
    """Commits without secrets; the e-mail address of an author joins him to his account, and stays in its column."""
    return tuple(
        replace(
            commit,
            message=_cleaned(commit.message, redactor),
            author_name=_cleaned(commit.author_name, redactor),
            tags=tuple(_cleaned(tag, redactor) for tag in commit.tags),
            paths=_cleaned_lines(commit.paths, redactor),
        )
        for commit in commits
    )


def _cleaned_lines(lines: tuple[str, ...], redactor: Redactor) -> tuple[str, ...]:
    """Each without secrets: at once where that is the same, since a commit may change hundreds of files."""
    cleaned = tuple(_cleaned("\n".join(lines), redactor).split("\n"))
    if len(cleaned) == len(lines):
        return cleaned
    return tuple(_cleaned(line, redactor) for line in lines)


def _cleaned(text: str, redactor: Redactor) -> str:
    try:
        return redactor.redact(text) if text else text
    except RedactionFailed as error:
        raise Internal("a text could not be redacted, so nothing was stored; report this") from error
