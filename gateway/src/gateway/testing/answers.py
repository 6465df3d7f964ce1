"""What scripted services answer: whole messages with made-up content, for the ids that they are asked for."""

from collections.abc import Callable, Collection
from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from aiops.ai.v1 import ai_service_pb2, run_pb2
from aiops.auth.v1 import auth_service_pb2, user_pb2
from aiops.changelog.v1 import changelog_pb2, changelog_service_pb2
from aiops.common.v1.actor_pb2 import ACTOR_KIND_USER, Actor
from aiops.logs.v1 import log_pb2, logs_service_pb2
from aiops.tickets.v1 import ticket_pb2, tickets_service_pb2
from chassis.errors import DomainError

MOMENT = Timestamp(seconds=1_780_000_000)


def an_id(number: int) -> str:
    """The id of made-up thing number so and so."""
    return f"0198c0de-0000-7000-8000-{number:012d}"


def by(user_id: str) -> Actor:
    """A person."""
    return Actor(kind=ACTOR_KIND_USER, id=user_id)


def a_user(id_: str) -> user_pb2.User:
    """Somebody active."""
    return user_pb2.User(
        id=id_, version=1, email=f"{id_}@example.com", display_name="Ada", status=user_pb2.USER_STATUS_ACTIVE
    )


def a_log(id_: str, **fields: Any) -> log_pb2.Log:
    """A log that waits for its summary, made by user 1."""
    return log_pb2.Log(
        **{
            "id": id_,
            "version": 1,
            "name": "app.log",
            "source": log_pb2.LOG_SOURCE_PASTE,
            "state": log_pb2.LOG_STATE_RECEIVED,
            "status": log_pb2.LOG_STATUS_OPEN,
            "created_by": by(an_id(1)),
            "created_at": MOMENT,
            **fields,
        }
    )


def a_ticket(id_: str, **fields: Any) -> ticket_pb2.Ticket:
    """An open ticket, reported, created and done by user 1, about log 1."""
    return ticket_pb2.Ticket(
        **{
            "id": id_,
            "version": 1,
            "title": "checkout is slow",
            "reporter": ticket_pb2.Reporter(user_id=an_id(1)),
            "source": "api",
            "service": "checkout",
            "audience": ticket_pb2.TICKET_AUDIENCE_GENERAL,
            "status": ticket_pb2.TICKET_STATUS_OPEN,
            "triage_state": ticket_pb2.TRIAGE_STATE_TRIAGED,
            "triage": ticket_pb2.TriageDecision(id=an_id(9), engine="builtin", run_id=an_id(8), created_at=MOMENT),
            "assignee_id": an_id(1),
            "log_ids": [an_id(1)],
            "created_by": by(an_id(1)),
            "created_at": MOMENT,
            **fields,
        }
    )


def a_commit(id_: str) -> changelog_pb2.Commit:
    """A commit of ada@example.com."""
    return changelog_pb2.Commit(
        id=id_, repository_id=an_id(4), sha="a" * 40, subject="fix: pay", author_email="ADA@example.com"
    )


def a_deployment(id_: str) -> changelog_pb2.Deployment:
    """A deployment that user 1 told of."""
    return changelog_pb2.Deployment(
        id=id_, service="checkout", version_name="1.2.3", deployed_at=MOMENT, created_by=by(an_id(1)), created_at=MOMENT
    )


def a_changelog(id_: str, **fields: Any) -> changelog_pb2.Changelog:
    """A published changelog with a highlight."""
    return changelog_pb2.Changelog(
        **{
            "id": id_,
            "version": 2,
            "repository_id": an_id(4),
            "state": changelog_pb2.CHANGELOG_STATE_PUBLISHED,
            "bump": changelog_pb2.VERSION_BUMP_PATCH,
            "entries": [changelog_pb2.ChangelogEntry(key="c1", text="pay", references=["#12", "#7"])],
            "highlight_state": changelog_pb2.HIGHLIGHT_STATE_READY,
            "highlights": changelog_pb2.Highlights(
                highlights=[changelog_pb2.Highlight(text="Pay.", entry_keys=["c1"], engine="builtin")],
                engine="builtin",
                run_id=an_id(8),
            ),
            "created_by": by(an_id(1)),
            "created_at": MOMENT,
            "published_by": by(an_id(1)),
            **fields,
        }
    )


def users(request: auth_service_pb2.BatchGetUsersRequest) -> auth_service_pb2.BatchGetUsersResponse:
    """Everybody who is asked for."""
    return auth_service_pb2.BatchGetUsersResponse(users=[a_user(id_) for id_ in request.ids])


def users_by_email(
    request: auth_service_pb2.BatchGetUsersByEmailRequest,
) -> auth_service_pb2.BatchGetUsersByEmailResponse:
    """Everybody who is asked for, as user 1."""
    found = [auth_service_pb2.UserWithEmail(requested_email=each, user=a_user(an_id(1))) for each in request.emails]
    return auth_service_pb2.BatchGetUsersByEmailResponse(users=found)


def logs(request: logs_service_pb2.BatchGetLogsRequest) -> logs_service_pb2.BatchGetLogsResponse:
    """All logs that are asked for."""
    return logs_service_pb2.BatchGetLogsResponse(logs=[a_log(id_) for id_ in request.ids])


def tickets(request: tickets_service_pb2.BatchGetTicketsRequest) -> tickets_service_pb2.BatchGetTicketsResponse:
    """All tickets that are asked for."""
    return tickets_service_pb2.BatchGetTicketsResponse(tickets=[a_ticket(id_) for id_ in request.ids])


def log_tickets(
    request: tickets_service_pb2.BatchListLogTicketsRequest,
) -> tickets_service_pb2.BatchListLogTicketsResponse:
    """One ticket for each log, with the log's id."""
    found = [tickets_service_pb2.LogTickets(log_id=id_, tickets=[a_ticket(id_)]) for id_ in request.log_ids]
    return tickets_service_pb2.BatchListLogTicketsResponse(logs=found)


def similar(
    request: tickets_service_pb2.BatchListSimilarTicketsRequest,
) -> tickets_service_pb2.BatchListSimilarTicketsResponse:
    """One similar ticket for each."""
    alike = tickets_service_pb2.SimilarTicket(ticket=a_ticket(an_id(2)), similarity=0.5, shared_words=["slow"])
    found = [tickets_service_pb2.SimilarTickets(ticket_id=id_, similar_tickets=[alike]) for id_ in request.ticket_ids]
    return tickets_service_pb2.BatchListSimilarTicketsResponse(tickets=found)


def comments(
    request: tickets_service_pb2.BatchListTicketCommentsRequest,
) -> tickets_service_pb2.BatchListTicketCommentsResponse:
    """One comment of user 1 on each ticket."""
    said = ticket_pb2.Comment(id=an_id(5), body="looking", author=by(an_id(1)), created_at=MOMENT)
    found = [tickets_service_pb2.TicketComments(ticket_id=id_, comments=[said]) for id_ in request.ticket_ids]
    return tickets_service_pb2.BatchListTicketCommentsResponse(tickets=found)


def changelogs(
    request: changelog_service_pb2.BatchGetChangelogsRequest,
) -> changelog_service_pb2.BatchGetChangelogsResponse:
    """All changelogs that are asked for."""
    return changelog_service_pb2.BatchGetChangelogsResponse(changelogs=[a_changelog(id_) for id_ in request.ids])


def repositories(
    request: changelog_service_pb2.BatchGetRepositoriesRequest,
) -> changelog_service_pb2.BatchGetRepositoriesResponse:
    """All repositories that are asked for."""
    found = [changelog_pb2.Repository(id=id_, version=1, name="shop/checkout") for id_ in request.ids]
    return changelog_service_pb2.BatchGetRepositoriesResponse(repositories=found)


def changelog_commits(
    request: changelog_service_pb2.BatchListChangelogCommitsRequest,
) -> changelog_service_pb2.BatchListChangelogCommitsResponse:
    """One commit for each changelog."""
    found = [
        changelog_service_pb2.ChangelogCommits(changelog_id=id_, commits=[a_commit(an_id(6))])
        for id_ in request.changelog_ids
    ]
    return changelog_service_pb2.BatchListChangelogCommitsResponse(changelogs=found)


def changelog_deployments(
    request: changelog_service_pb2.BatchListChangelogDeploymentsRequest,
) -> changelog_service_pb2.BatchListChangelogDeploymentsResponse:
    """One deployment for each changelog."""
    found = [
        changelog_service_pb2.ChangelogDeployments(changelog_id=id_, deployments=[a_deployment(an_id(7))])
        for id_ in request.changelog_ids
    ]
    return changelog_service_pb2.BatchListChangelogDeploymentsResponse(changelogs=found)


def changes_before(
    request: changelog_service_pb2.BatchListChangesBeforeRequest,
) -> changelog_service_pb2.BatchListChangesBeforeResponse:
    """A deployment and a commit before each moment."""
    changes = [
        changelog_service_pb2.Change(at=MOMENT, deployment=a_deployment(an_id(7))),
        changelog_service_pb2.Change(at=MOMENT, commit=a_commit(an_id(6))),
    ]
    found = [changelog_service_pb2.ChangesBefore(key=query.key, changes=changes) for query in request.queries]
    return changelog_service_pb2.BatchListChangesBeforeResponse(moments=found)


def runs(request: ai_service_pb2.BatchGetRunsRequest) -> ai_service_pb2.BatchGetRunsResponse:
    """All runs that are asked for."""
    found = [run_pb2.Run(id=id_, task="triage_ticket", engine=run_pb2.ENGINE_BUILTIN) for id_ in request.ids]
    return ai_service_pb2.BatchGetRunsResponse(runs=found)


EVERYTHING: dict[str, dict[str, Callable[[Any], Message]]] = {
    "auth": {"BatchGetUsers": users, "BatchGetUsersByEmail": users_by_email},
    "logs": {"BatchGetLogs": logs},
    "tickets": {
        "BatchGetTickets": tickets,
        "BatchListLogTickets": log_tickets,
        "BatchListSimilarTickets": similar,
        "BatchListTicketComments": comments,
    },
    "changelog": {
        "BatchGetChangelogs": changelogs,
        "BatchGetRepositories": repositories,
        "BatchListChangelogCommits": changelog_commits,
        "BatchListChangelogDeployments": changelog_deployments,
        "BatchListChangesBefore": changes_before,
    },
    "ai": {"BatchGetRuns": runs},
}
"""Answers for every edge, by service and RPC."""


def refusing(
    answer: Callable[[Any], Message], bad: Collection[str], error: DomainError, *, field: str = "ids"
) -> Callable[[Any], Message]:
    """An answer that is refused as a whole when one of these keys is asked for."""

    def script(request: Any) -> Message:
        if set(bad).intersection(getattr(request, field)):
            raise error
        return answer(request)

    return script
