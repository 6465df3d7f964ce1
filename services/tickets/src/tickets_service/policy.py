"""Who may call which RPC of tickets, and which tickets leave it.

Rows that a caller may not see are left out by the queries, so that pages are right. The mask is the last line behind
them: it looks at each ticket that is about to leave and stops what should not have come this far.
"""

from collections.abc import Callable, MutableSequence
from typing import TypeVar

from google.protobuf.message import Message

from aiops.tickets.v1 import tickets_service_pb2 as pb
from aiops.tickets.v1.ticket_pb2 import Ticket, TicketAudience
from chassis.identity import Call, Role
from chassis.policy import Policy, allow
from tickets_service.values import Watcher

T = TypeVar("T")


def build_policy() -> Policy:
    """The table and the mask of tickets."""
    anybody = allow("gateway", any_user=True)
    workers = allow("gateway", roles=(Role.ADMIN, Role.OPS, Role.HR))
    return Policy(
        {
            "CreateTicket": allow("gateway", any_user=True, scopes=("tickets:write",)),
            "UpdateTicket": workers,
            "UpdateTicketStatus": workers,
            "UpdateTicketAudience": anybody,
            "AssignTicket": workers,
            "AddTicketComment": anybody,
            "LinkTicketLogs": workers,
            "UnlinkTicketLogs": workers,
            "RetriageTicket": workers,
            "AcceptTicketSuggestion": workers,
            "DismissTicketSuggestion": workers,
            "BatchGetTickets": anybody,
            "ListTickets": anybody,
            "BatchListLogTickets": anybody,
            "BatchListSimilarTickets": anybody,
            "BatchListTicketComments": anybody,
            "ListTicketOptions": anybody,
            "SaveTicketOption": allow("gateway", roles=(Role.ADMIN,)),
        },
        mask=_mask,
    )


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
    """What whoever wrote a ticket that he may not see is told of it: that it is stored, and nothing that it says."""
    return Ticket(
        id=ticket.id,
        version=ticket.version,
        source=ticket.source,
        external_reference=ticket.external_reference,
        audience=ticket.audience,
        status=ticket.status,
        triage_state=ticket.triage_state,
        created_by=ticket.created_by,
        created_at=ticket.created_at,
        updated_at=ticket.updated_at,
    )


def _mask(call: Call, message: Message) -> Message:
    masked = type(message)()
    masked.CopyFrom(message)
    watcher = watcher_of(call)
    if isinstance(masked, pb.CreateTicketResponse | pb.UpdateTicketResponse):
        if not shows(watcher, masked.ticket):
            masked.ticket.CopyFrom(receipt(masked.ticket))
    elif "ticket" in masked.DESCRIPTOR.fields_by_name:
        if not shows(watcher, masked.ticket):  # type: ignore[attr-defined]  # the field is there
            masked.Clear()
    else:
        _mask_lists(watcher, masked)
    if not watcher.decides_audience:
        for ticket in _tickets_in(masked):
            ticket.reporter.external_email = ""
    return masked


def _mask_lists(watcher: Watcher, masked: Message) -> None:
    if isinstance(masked, pb.ListTicketsResponse):
        shown = [shows(watcher, ticket) for ticket in masked.tickets]
        for place in (place for place in reversed(range(len(shown))) if not shown[place]):
            del masked.tickets[place], masked.cursors[place]
    elif isinstance(masked, pb.BatchGetTicketsResponse):
        _keep(masked.tickets, lambda ticket: shows(watcher, ticket))
    elif isinstance(masked, pb.BatchListLogTicketsResponse):
        for log in masked.logs:
            _keep(log.tickets, lambda ticket: shows(watcher, ticket))
    elif isinstance(masked, pb.BatchListSimilarTicketsResponse):
        for item in masked.tickets:
            _keep(item.similar_tickets, lambda found: shows(watcher, found.ticket))
    elif isinstance(masked, pb.BatchListTicketCommentsResponse):
        for commented in masked.tickets:
            _keep(commented.comments, lambda comment: bool(watcher.role) or not comment.internal)


def _keep(items: MutableSequence[T], wanted: Callable[[T], bool]) -> None:
    for place in reversed(range(len(items))):
        if not wanted(items[place]):
            del items[place]


def _tickets_in(message: Message) -> list[Ticket]:
    if isinstance(message, Ticket):
        return [message] if message.reporter.external_email else []
    found: list[Ticket] = []
    for field, value in message.ListFields():
        if field.message_type is not None:
            for part in [value] if isinstance(value, Message) else value:
                found.extend(_tickets_in(part))
    return found
