"""Between protos and domain: pure and total."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from aiops.changelog.v1 import changelog_pb2 as pb
from aiops.changelog.v1 import changelog_service_pb2 as rpc_pb
from aiops.changelog.v1 import events_pb2 as events
from changelog_service import domain
from changelog_service.commits import Entry, Excluded
from chassis.events import Event
from chassis.protos import actor_to_proto, moment_to_proto

if TYPE_CHECKING:
    from google.protobuf.message import Message


def repository_to_proto(repository: domain.Repository) -> pb.Repository:
    """A repository as others see it."""
    return pb.Repository(
        id=str(repository.id),
        version=repository.version,
        name=repository.name,
        services=repository.services,
        commit_count=repository.commit_count,
        created_at=moment_to_proto(repository.created_at),
        updated_at=moment_to_proto(repository.updated_at),
    )


def commit_to_proto(stored: domain.StoredCommit) -> pb.Commit:
    """A stored commit as others see it."""
    commit = stored.commit
    return pb.Commit(
        id=str(stored.id),
        repository_id=str(stored.repository_id),
        sha=commit.sha,
        subject=stored.subject,
        body=stored.body,
        author_name=commit.author_name,
        author_email=commit.author_email,
        committed_at=moment_to_proto(commit.committed_at),
        parent_shas=commit.parent_shas,
        tags=commit.tags,
        type=stored.type,
        scope=stored.scope,
        breaking=stored.breaking,
        conventional=stored.conventional,
    )


def changelog_to_proto(changelog: domain.Changelog) -> pb.Changelog:
    """A changelog as others see it."""
    published_by = None
    if changelog.published_by_kind is not None:
        published_by = actor_to_proto(changelog.published_by_kind, changelog.published_by_id or "")
    return pb.Changelog(
        id=str(changelog.id),
        version=changelog.version,
        repository_id=str(changelog.repository_id),
        repository_name=changelog.repository_name,
        from_ref=changelog.from_ref,
        to_ref=changelog.to_ref,
        state=pb.ChangelogState.Value(f"CHANGELOG_STATE_{changelog.state}"),
        bump=pb.VersionBump.Value(f"VERSION_BUMP_{changelog.bump}"),
        bump_sha=changelog.bump_sha,
        previous_version=changelog.previous_version,
        next_version=changelog.next_version,
        entries=map(_entry_to_proto, changelog.entries),
        excluded=map(_excluded_to_proto, changelog.excluded),
        commit_count=changelog.commit_count,
        markdown=changelog.markdown,
        json=changelog.json,
        highlight_state=pb.HighlightState.Value(f"HIGHLIGHT_STATE_{changelog.highlight_state}"),
        highlights=None if changelog.highlights is None else _highlights_to_proto(changelog.highlights),
        created_by=actor_to_proto(changelog.created_by_kind, changelog.created_by_id),
        created_at=moment_to_proto(changelog.created_at),
        updated_at=moment_to_proto(changelog.updated_at),
        published_by=published_by,
        published_at=moment_to_proto(changelog.published_at),
        highlight_failure=changelog.highlight_failure,
        highlight_suggestions=map(_suggestion_to_proto, changelog.highlight_suggestions),
    )


def deployment_to_proto(deployment: domain.Deployment) -> pb.Deployment:
    """A deployment as others see it."""
    return pb.Deployment(
        id=str(deployment.id),
        service=deployment.service,
        environment=deployment.environment,
        version_name=deployment.version_name,
        repository_id="" if deployment.repository_id is None else str(deployment.repository_id),
        sha=deployment.sha,
        url=deployment.url,
        deployed_at=moment_to_proto(deployment.deployed_at),
        created_by=actor_to_proto(deployment.created_by_kind, deployment.created_by_id),
        created_at=moment_to_proto(deployment.created_at),
        external_reference=deployment.external_reference,
    )


def changes_to_proto(found: domain.ChangesBefore) -> rpc_pb.ChangesBefore:
    """The changes before a moment as others see them."""
    return rpc_pb.ChangesBefore(key=found.key, changes=map(_change_to_proto, found.changes), truncated=found.truncated)


def changelog_commits_to_proto(
    grouped: Mapping[UUID, Sequence[domain.StoredCommit]],
) -> list[rpc_pb.ChangelogCommits]:
    """The commits of changelogs as others see them."""
    return [
        rpc_pb.ChangelogCommits(changelog_id=str(changelog_id), commits=map(commit_to_proto, found))
        for changelog_id, found in grouped.items()
    ]


def changelog_deployments_to_proto(
    grouped: Mapping[UUID, Sequence[domain.Deployment]],
) -> list[rpc_pb.ChangelogDeployments]:
    """The deployments of changelogs as others see them."""
    return [
        rpc_pb.ChangelogDeployments(changelog_id=str(changelog_id), deployments=map(deployment_to_proto, found))
        for changelog_id, found in grouped.items()
    ]


def fact_to_event(fact: object) -> Event:
    """A fact of the domain as it travels.

    Raises:
        TypeError: it is no fact of changelog.
    """
    payload: Message
    match fact:
        case domain.RepositoryCommitsPushed(repository_id):
            what, aggregate_id = ("repository", "commits_pushed"), repository_id
            payload = events.RepositoryCommitsPushed(
                repository_id=str(repository_id),
                repository_name=fact.repository_name,
                new_commit_count=fact.new_commit_count,
            )
        case domain.ChangelogGenerated(changelog_id):
            what, aggregate_id = ("changelog", "generated"), changelog_id
            payload = events.ChangelogGenerated(
                changelog_id=str(changelog_id), repository_id=str(fact.repository_id), commit_count=fact.commit_count
            )
        case domain.ChangelogHighlighted(changelog_id):
            what, aggregate_id = ("changelog", "highlighted"), changelog_id
            payload = events.ChangelogHighlighted(changelog_id=str(changelog_id), engine=fact.engine)
        case domain.ChangelogHighlightsSuggested(changelog_id):
            what, aggregate_id = ("changelog", "highlights_suggested"), changelog_id
            payload = events.ChangelogHighlightsSuggested(
                changelog_id=str(changelog_id), suggestion_id=str(fact.suggestion_id), engine=fact.engine
            )
        case domain.ChangelogSuggestionAccepted(changelog_id, _, suggestion_id):
            what, aggregate_id = ("changelog", "suggestion_accepted"), changelog_id
            payload = events.ChangelogSuggestionAccepted(
                changelog_id=str(changelog_id), suggestion_id=str(suggestion_id)
            )
        case domain.ChangelogSuggestionDismissed(changelog_id, _, suggestion_id):
            what, aggregate_id = ("changelog", "suggestion_dismissed"), changelog_id
            payload = events.ChangelogSuggestionDismissed(
                changelog_id=str(changelog_id), suggestion_id=str(suggestion_id)
            )
        case domain.ChangelogReleased(changelog_id):
            what, aggregate_id = ("changelog", "published"), changelog_id
            payload = events.ChangelogPublished(
                changelog_id=str(changelog_id), repository_id=str(fact.repository_id), next_version=fact.next_version
            )
        case domain.DeploymentRecorded(deployment_id):
            what, aggregate_id = ("deployment", "recorded"), deployment_id
            payload = events.DeploymentRecorded(
                deployment_id=str(deployment_id),
                service=fact.service,
                environment=fact.environment,
                version_name=fact.version_name,
            )
        case _:
            raise TypeError(f"{type(fact).__name__} is no fact of changelog")
    aggregate, name = what
    return Event(f"aiops.changelog.{aggregate}.{name}.v1", aggregate, aggregate_id, fact.version, payload)


def _entry_to_proto(entry: Entry) -> pb.ChangelogEntry:
    return pb.ChangelogEntry(
        key=entry.key,
        section=pb.ChangelogSection.Value(f"CHANGELOG_SECTION_{entry.section}"),
        text=entry.text,
        scope=entry.scope,
        breaking=entry.breaking,
        breaking_note=entry.breaking_note,
        commit_shas=entry.commit_shas,
        references=entry.references,
    )


def _excluded_to_proto(excluded: Excluded) -> pb.ExcludedCommit:
    return pb.ExcludedCommit(
        sha=excluded.sha,
        subject=excluded.subject,
        reason=pb.ExclusionReason.Value(f"EXCLUSION_REASON_{excluded.reason}"),
        detail=excluded.detail,
    )


def _highlights_to_proto(found: domain.Highlights) -> pb.Highlights:
    return pb.Highlights(
        highlights=[
            pb.Highlight(text=each.text, entry_keys=each.entry_keys, engine=each.engine) for each in found.highlights
        ],
        engine=found.engine,
        model=found.model,
        run_id=found.run_id,
        fallback_reason=found.fallback_reason,
        replaced_count=found.replaced_count,
    )


def _suggestion_to_proto(suggestion: domain.HighlightsSuggestion) -> pb.HighlightsSuggestion:
    return pb.HighlightsSuggestion(
        id=str(suggestion.id),
        highlights=_highlights_to_proto(suggestion.highlights),
        read_version=suggestion.read_version,
        suggested_at=moment_to_proto(suggestion.suggested_at),
    )


def _change_to_proto(change: domain.Change) -> rpc_pb.Change:
    at = moment_to_proto(change.at)
    if isinstance(change.what, domain.Deployment):
        return rpc_pb.Change(at=at, deployment=deployment_to_proto(change.what))
    return rpc_pb.Change(at=at, commit=commit_to_proto(change.what))
