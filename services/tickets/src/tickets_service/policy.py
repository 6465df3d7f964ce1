"""Who may call which RPC of tickets, which tickets exist for whom, and what of them leaves.

Rows that a caller may not see are left out by the queries, so that pages are right. The mask is the last line behind
them: it looks at each ticket that is about to leave and stops what should not have come this far.
"""

from collections.abc import Mapping

from aiops.tickets.v1.ticket_pb2 import Ticket, TicketAudience
from chassis.identity import Call, Role
from chassis.masking import EVERYBODY, Case, Kind, Mask, fields, names, rows, seen_by, table
from chassis.policy import Policy, Rule, allow
from tickets_service.values import Watcher

_ANYBODY = allow("gateway", any_user=True)
_WORKERS = allow("gateway", roles=(Role.ADMIN, Role.OPS, Role.HR))
RULES: Mapping[str, Rule] = {
    "CreateTicket": allow("gateway", any_user=True, scopes=("tickets:write",)),
    "UpdateTicket": _WORKERS,
    "UpdateTicketStatus": _WORKERS,
    "UpdateTicketAudience": _ANYBODY,
    "AssignTicket": _WORKERS,
    "AddTicketComment": _ANYBODY,
    "LinkTicketLogs": _WORKERS,
    "UnlinkTicketLogs": _WORKERS,
    "RetriageTicket": _WORKERS,
    "AcceptTicketSuggestion": _WORKERS,
    "DismissTicketSuggestion": _WORKERS,
    "RevealTicket": _ANYBODY,
    "BatchGetTickets": _ANYBODY,
    "ListTickets": _ANYBODY,
    "BatchListLogTickets": _ANYBODY,
    "BatchListSimilarTickets": _ANYBODY,
    "BatchListTicketComments": _ANYBODY,
    "ListTicketOptions": _ANYBODY,
    "SaveTicketOption": allow("gateway", roles=(Role.ADMIN,)),
}

_REPORTER = "reporter.user_id"
_WHO_DECIDES_AUDIENCES = seen_by(Kind.ADMIN, Kind.HR, Kind.SERVICE)
_WHO_HAS_A_ROLE = seen_by(Kind.ADMIN, Kind.OPS, Kind.HR)
_RECEIPT = names("id version source external_reference audience status triage_state created_by created_at updated_at")
"""What whoever wrote a ticket that he may not see is told of it: that it is stored, and nothing that it says."""

TABLE = table(
    fields(
        "aiops.tickets.v1",
        {
            "Ticket": rows(
                EVERYBODY,
                "id version title message description reporter source external_reference service audience "
                "people_suspected status triage_state triage_failure category category_source priority priority_level "
                "priority_source team team_source triage suggestion assignee_id log_ids comment_count created_by "
                "created_at updated_at",
            ),
            "Reporter": {
                **rows(EVERYBODY, "user_id external_name"),
                **rows(_WHO_DECIDES_AUDIENCES, "external_email"),
            },
            "Comment": rows(EVERYBODY, "id ticket_id body internal author created_at"),
            "TriageReason": rows(EVERYBODY, "field start end quote explanation"),
            "TriageChoice": rows(EVERYBODY, "value confidence uncertain reasons"),
            "TriageDecision": rows(
                EVERYBODY,
                "id engine model prompt_version run_id fallback_reason category priority team people_suspected "
                "people_reasons ticket_version kept created_at",
            ),
            "TriageSuggestion": rows(EVERYBODY, "decision changed"),
            "TicketOption": rows(
                EVERYBODY, "kind key name description position audience archived version priority_level"
            ),
            "SimilarTicket": rows(EVERYBODY, "ticket similarity shared_words"),
            "SimilarTickets": rows(EVERYBODY, "ticket_id similar_tickets"),
            "LogTickets": rows(EVERYBODY, "log_id tickets"),
            "TicketComments": rows(EVERYBODY, "ticket_id comments has_next_page"),
            "CreateTicketResponse UpdateTicketResponse UpdateTicketStatusResponse UpdateTicketAudienceResponse "
            "AssignTicketResponse LinkTicketLogsResponse UnlinkTicketLogsResponse RetriageTicketResponse "
            "AcceptTicketSuggestionResponse DismissTicketSuggestionResponse": rows(EVERYBODY, "ticket"),
            # The use case refuses whoever may not read a ticket whole.
            "RevealTicketResponse": rows(EVERYBODY, "revealed"),
            "RevealedTicket": rows(EVERYBODY, "id title description comments has_older_comments"),
            "RevealedText": rows(EVERYBODY, "text state"),
            "RevealedComment": rows(EVERYBODY, "id body"),
            "AddTicketCommentResponse": rows(EVERYBODY, "ticket comment"),
            "BatchGetTicketsResponse BatchListSimilarTicketsResponse BatchListTicketCommentsResponse": rows(
                EVERYBODY, "tickets"
            ),
            "ListTicketsResponse": rows(EVERYBODY, "tickets page_info cursors"),
            "BatchListLogTicketsResponse": rows(EVERYBODY, "logs"),
            "ListTicketOptionsResponse": rows(EVERYBODY, "options"),
            "SaveTicketOptionResponse": rows(EVERYBODY, "option"),
        },
    ),
    objects={
        "aiops.tickets.v1.Ticket": (
            Case(
                seen_by(Kind.ADMIN, Kind.OPS, Kind.SERVICE, owner=_REPORTER),
                {"audience": "TICKET_AUDIENCE_GENERAL", "people_suspected": False},
            ),
            Case(seen_by(Kind.ADMIN, Kind.HR, Kind.SERVICE, owner=_REPORTER), {}),
        ),
        "aiops.tickets.v1.Comment": (Case(_WHO_HAS_A_ROLE, {"internal": True}), Case(EVERYBODY, {})),
    },
    receipts=dict.fromkeys(
        ("aiops.tickets.v1.CreateTicketResponse", "aiops.tickets.v1.UpdateTicketResponse"), _RECEIPT
    ),
)

HISTORY = {
    **rows(
        EVERYBODY,
        "title description reporter_user_id reporter_name source external_reference service audience people_suspected "
        "status triage_state triage_failure triage_requested_at category priority team triage suggestion assignee_id "
        "log_ids public_comment_count created_by created_at updated_at",
    ),
    **rows(_WHO_DECIDES_AUDIENCES, "reporter_email audience_decided"),
    # Of others a call alone does not tell whether they work on the ticket, or only reported it.
    **rows(seen_by(Kind.ADMIN, Kind.SERVICE), "internal_comment_count"),
}
"""Who sees which field of a ticket's past."""
VEILED = names("title description service category team triage suggestion")
"""What is not read of the time in which a ticket was hidden, nor of before, by whoever does not see hidden tickets."""
TOLD = rows(_WHO_HAS_A_ROLE, "internal_comment_count")
"""Who hears of a row that replaces this: that there is an internal comment is as internal as what it says."""


def build_policy() -> Policy:
    """The rules and the mask of tickets."""
    return Policy(RULES, Mask(TABLE))


def watcher_of(call: Call) -> Watcher:
    """Whoever the call is for; without a viewer it is the service's own work."""
    if call.viewer is None:
        return Watcher("service", call.caller)
    return Watcher(call.viewer.kind, str(call.viewer.id), call.viewer.role or "")


def shows(watcher: Watcher, ticket: Ticket) -> bool:
    """Whether a ticket in this state exists for whoever looks."""
    hidden = ticket.people_suspected or ticket.audience != TicketAudience.TICKET_AUDIENCE_GENERAL
    return watcher.sees(hidden=hidden, reporter_id=ticket.reporter.user_id)


def receipt(ticket: Ticket) -> Ticket:
    """What whoever wrote a ticket that he may not see is told of it."""
    told = Ticket()
    told.CopyFrom(ticket)
    for field, _ in ticket.ListFields():
        if field.name not in _RECEIPT:
            told.ClearField(field.name)  # type: ignore[arg-type]  # it is one of its fields
    return told
