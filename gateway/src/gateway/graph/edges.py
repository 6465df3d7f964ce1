"""Every field that crosses services, and nothing else: read it top to bottom and you have the map of the graph.

Each edge is nullable and bounded: where the other service is down or slow, the edge alone is null, with an error at its
path, and what a page asks of one service is one call.
"""

from typing import TYPE_CHECKING, Annotated, Protocol

import strawberry
from google.protobuf.timestamp_pb2 import Timestamp

from gateway.context import Info
from gateway.graph.ai import load_run
from gateway.graph.auth import load_user, load_user_by_email
from gateway.graph.pagination import DEFAULT_PAGE_SIZE

if TYPE_CHECKING:
    from gateway.graph.ai import Run
    from gateway.graph.auth import User
    from gateway.graph.changelog import Changelog
    from gateway.graph.changelog_commits import Commit, Deployment
    from gateway.graph.changelog_timeline import ChangesBefore
    from gateway.graph.history import RecordedChange
    from gateway.graph.logs import Log
    from gateway.graph.tickets import SimilarTicket, Ticket

USER = strawberry.lazy("gateway.graph.auth")
RUN = strawberry.lazy("gateway.graph.ai")
HISTORY = strawberry.lazy("gateway.graph.history")
LOG = strawberry.lazy("gateway.graph.logs")
CHANGELOG = strawberry.lazy("gateway.graph.changelog")
TICKETS = strawberry.lazy("gateway.graph.tickets")
COMMITS = strawberry.lazy("gateway.graph.changelog_commits")
TIMELINE = strawberry.lazy("gateway.graph.changelog_timeline")

DEFAULT_HOURS = 24


class HasId(Protocol):
    """What other services know by its id."""

    id: strawberry.ID


class CreatedByUser(Protocol):
    """What stores the person who made it."""

    created_by_user_id: str | None


class PublishedByUser(Protocol):
    """What stores the person who published it."""

    published_by_user_id: str | None


class ReportedByUser(Protocol):
    """What stores the person who reported it."""

    user_id: str | None


class Assigned(Protocol):
    """What stores the person who shall do it."""

    assignee_id: str | None


class Said(Protocol):
    """What stores the person who said it."""

    author_user_id: str | None


class Written(Protocol):
    """What stores the e-mail address of the person who wrote it."""

    author_email: str | None


class MadeByRun(Protocol):
    """What stores the run that made it."""

    run_id: str | None


class HasLogs(Protocol):
    """What stores the logs that belong to it."""

    log_ids: list[str]


class StaleRead(Protocol):
    """What was to be changed, and the version of it that was read."""

    expected: int
    aggregate_type: str
    aggregate_id: str


class ChangedByUser(Protocol):
    """What stores the person who changed something."""

    changed_by_user_id: str | None


class InTime(Protocol):
    """What has a moment, in a service or in none that is known."""

    service: str | None
    moment: Timestamp


Versioned = Annotated[
    Annotated["Ticket", TICKETS] | Annotated["Log", LOG] | Annotated["Changelog", CHANGELOG] | Annotated["User", USER],
    strawberry.union("Versioned", description="What has a version that a change has to name."),
]


async def conflict_current(root: strawberry.Parent[StaleRead], info: Info) -> Versioned | None:
    """VersionConflict.current: the aggregate's kind and id -> its service's BatchGet, read anew."""
    return await versioned.load(info, root.aggregate_type, root.aggregate_id, anew=True)


async def conflict_changes_since(
    root: strawberry.Parent[StaleRead], info: Info
) -> list[Annotated["RecordedChange", HISTORY]] | None:
    """VersionConflict.changesSince: the aggregate's kind, id and the version read -> its service's ListChanges."""
    return await history.load_changes_since(info, root.aggregate_type, root.aggregate_id, root.expected)


async def change_changed_by(root: strawberry.Parent[ChangedByUser], info: Info) -> Annotated["User", USER] | None:
    """RecordedChange.changedBy: the history's actor -> auth.BatchGetUsers."""
    return await load_user(info, root.changed_by_user_id) if root.changed_by_user_id else None


async def log_created_by(root: strawberry.Parent[CreatedByUser], info: Info) -> Annotated["User", USER] | None:
    """Log.createdBy: logs.created_by -> auth.BatchGetUsers."""
    return await load_user(info, root.created_by_user_id) if root.created_by_user_id else None


async def log_summary_run(root: strawberry.Parent[MadeByRun], info: Info) -> Annotated["Run", RUN] | None:
    """LogSummary.run: logs.summary.run_id -> ai.BatchGetRuns."""
    return await load_run(info, root.run_id) if root.run_id else None


async def log_tickets(
    root: strawberry.Parent[HasId], info: Info, first: int = DEFAULT_PAGE_SIZE
) -> list[Annotated["Ticket", TICKETS]] | None:
    """Log.tickets: logs.id -> tickets.BatchListLogTickets, 1 to 100 a log."""
    return await tickets.load_log_tickets(info, root.id, first)


async def log_changes_before(
    root: strawberry.Parent[InTime], info: Info, hours: int = DEFAULT_HOURS, first: int = DEFAULT_PAGE_SIZE
) -> Annotated["ChangesBefore", TIMELINE] | None:
    """Log.changesBefore: logs.service, first_record_time or created_at -> changelog.BatchListChangesBefore."""
    return await changelog_timeline.load_changes_before(info, root.service, root.moment, hours, first)


async def ticket_reporter(root: strawberry.Parent[ReportedByUser], info: Info) -> Annotated["User", USER] | None:
    """Reporter.user: tickets.reporter.user_id -> auth.BatchGetUsers."""
    return await load_user(info, root.user_id) if root.user_id else None


async def ticket_assignee(root: strawberry.Parent[Assigned], info: Info) -> Annotated["User", USER] | None:
    """Ticket.assignee: tickets.assignee_id -> auth.BatchGetUsers."""
    return await load_user(info, root.assignee_id) if root.assignee_id else None


async def ticket_created_by(root: strawberry.Parent[CreatedByUser], info: Info) -> Annotated["User", USER] | None:
    """Ticket.createdBy: tickets.created_by -> auth.BatchGetUsers."""
    return await load_user(info, root.created_by_user_id) if root.created_by_user_id else None


async def comment_author(root: strawberry.Parent[Said], info: Info) -> Annotated["User", USER] | None:
    """Comment.author: tickets.comments.author -> auth.BatchGetUsers."""
    return await load_user(info, root.author_user_id) if root.author_user_id else None


async def triage_run(root: strawberry.Parent[MadeByRun], info: Info) -> Annotated["Run", RUN] | None:
    """TriageDecision.run: tickets.triage.run_id -> ai.BatchGetRuns."""
    return await load_run(info, root.run_id) if root.run_id else None


async def ticket_logs(root: strawberry.Parent[HasLogs], info: Info) -> list[Annotated["Log", LOG] | None] | None:
    """Ticket.logs: tickets.log_ids (at most 50) -> logs.BatchGetLogs."""
    return await logs.load_logs(info, root.log_ids)


async def ticket_similar(
    root: strawberry.Parent[HasId], info: Info, first: int = 5
) -> list[Annotated["SimilarTicket", TICKETS]] | None:
    """Ticket.similar: tickets.id -> tickets.BatchListSimilarTickets, 1 to 20 a ticket."""
    return await tickets.load_similar_tickets(info, root.id, first)


async def ticket_changes_before(
    root: strawberry.Parent[InTime], info: Info, hours: int = DEFAULT_HOURS, first: int = DEFAULT_PAGE_SIZE
) -> Annotated["ChangesBefore", TIMELINE] | None:
    """Ticket.changesBefore: tickets.service, created_at -> changelog.BatchListChangesBefore."""
    return await changelog_timeline.load_changes_before(info, root.service, root.moment, hours, first)


async def changelog_created_by(root: strawberry.Parent[CreatedByUser], info: Info) -> Annotated["User", USER] | None:
    """Changelog.createdBy: changelog.created_by -> auth.BatchGetUsers."""
    return await load_user(info, root.created_by_user_id) if root.created_by_user_id else None


async def changelog_published_by(
    root: strawberry.Parent[PublishedByUser], info: Info
) -> Annotated["User", USER] | None:
    """Changelog.publishedBy: changelog.published_by -> auth.BatchGetUsers."""
    return await load_user(info, root.published_by_user_id) if root.published_by_user_id else None


async def highlights_run(root: strawberry.Parent[MadeByRun], info: Info) -> Annotated["Run", RUN] | None:
    """Highlights.run: changelog.highlights.run_id -> ai.BatchGetRuns."""
    return await load_run(info, root.run_id) if root.run_id else None


async def changelog_commits_of(
    root: strawberry.Parent[HasId], info: Info, first: int = 100
) -> list[Annotated["Commit", COMMITS]] | None:
    """Changelog.commits: changelog.id -> changelog.BatchListChangelogCommits, 1 to 100 a changelog."""
    return await changelog_commits.load_changelog_commits(info, root.id, first)


async def changelog_deployments_of(
    root: strawberry.Parent[HasId], info: Info, first: int = DEFAULT_PAGE_SIZE
) -> list[Annotated["Deployment", COMMITS]] | None:
    """Changelog.deployments: changelog.id -> changelog.BatchListChangelogDeployments, 1 to 100 a changelog."""
    return await changelog_commits.load_changelog_deployments(info, root.id, first)


async def commit_author(root: strawberry.Parent[Written], info: Info) -> Annotated["User", USER] | None:
    """Commit.author: changelog.author_email -> auth.BatchGetUsersByEmail."""
    return await load_user_by_email(info, root.author_email) if root.author_email else None


async def deployment_created_by(root: strawberry.Parent[CreatedByUser], info: Info) -> Annotated["User", USER] | None:
    """Deployment.createdBy: changelog.deployments.created_by -> auth.BatchGetUsers."""
    return await load_user(info, root.created_by_user_id) if root.created_by_user_id else None


# The types of these modules have the edges above among their fields, so the edges have to be there first.
from gateway.graph import changelog_commits, changelog_timeline, history, logs, tickets, versioned  # noqa: E402
