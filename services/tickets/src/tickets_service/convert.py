"""Between protos and domain: pure and total."""

from collections.abc import Mapping
from uuid import UUID

from aiops.tickets.v1 import events_pb2 as events
from aiops.tickets.v1 import ticket_pb2 as ticket_pb
from aiops.tickets.v1 import tickets_service_pb2 as pb
from chassis.events import Event
from chassis.protos import actor_to_proto, moment_to_proto
from tickets_service import domain, facts, values
from tickets_service.convert_triage import decision_to_proto, suggestion_to_proto
from tickets_service.similarity import Alike
from tickets_service.values import OptionKind, Watcher

_TicketPayload = (
    events.TicketCreated
    | events.TicketTriageRequested
    | events.TicketTriaged
    | events.TicketTriageFailed
    | events.TicketTriageSuggested
    | events.TicketSuggestionAccepted
    | events.TicketSuggestionDismissed
    | events.TicketErased
    | events.TicketUpdated
    | events.TicketAudienceUpdated
    | events.TicketAssigned
    | events.TicketStatusUpdated
    | events.TicketCommented
    | events.TicketLogsLinked
    | events.TicketLogsUnlinked
)


def ticket_to_proto(ticket: domain.Ticket, watcher: Watcher) -> ticket_pb.Ticket:
    """A ticket as whoever looks sees it."""
    internal = ticket.internal_comment_count if watcher.works_on(hidden=ticket.hidden) else 0
    reporter = ticket.reporter
    return ticket_pb.Ticket(
        id=str(ticket.id),
        version=ticket.version,
        title=ticket.title,
        message=ticket.description,
        description=ticket.description,
        reporter=ticket_pb.Reporter(
            user_id=str(reporter.user_id or ""),
            external_name=reporter.external_name,
            external_email=reporter.external_email,
        ),
        source=ticket.source,
        external_reference=ticket.external_reference,
        service=ticket.service,
        audience=_audience_to_proto(ticket.audience),
        people_suspected=ticket.people_suspected,
        status=_status_to_proto(ticket.status),
        triage_state=ticket_pb.TriageState.Value(f"TRIAGE_STATE_{ticket.triage_state}"),
        triage_failure=ticket.triage_failure,
        category=ticket.category.key,
        category_source=_source_to_proto(ticket.category),
        priority=ticket.priority.key,
        priority_level=_level_to_proto(ticket.priority_level),
        priority_source=_source_to_proto(ticket.priority),
        team=ticket.team.key,
        team_source=_source_to_proto(ticket.team),
        triage=None if ticket.triage is None else decision_to_proto(ticket.triage),
        suggestion=None if ticket.suggestion is None else suggestion_to_proto(ticket.suggestion),
        assignee_id=str(ticket.assignee_id or ""),
        log_ids=[str(log_id) for log_id in ticket.log_ids],
        comment_count=ticket.public_comment_count + internal,
        created_by=actor_to_proto(ticket.created_by_kind, ticket.created_by_id),
        created_at=moment_to_proto(ticket.created_at),
        updated_at=moment_to_proto(ticket.updated_at),
    )


def revealed_to_proto(revealed: values.RevealedTicket) -> ticket_pb.RevealedTicket:
    """What was written on a ticket, for whoever may read it whole."""
    return ticket_pb.RevealedTicket(
        id=str(revealed.ticket_id),
        title=_text(revealed.title),
        description=_text(revealed.description),
        comments=[
            ticket_pb.RevealedComment(id=str(each.comment.id), body=_text(each.body)) for each in revealed.comments
        ],
        has_older_comments=revealed.has_older_comments,
    )


def comment_to_proto(comment: values.Comment) -> ticket_pb.Comment:
    """A comment as others see it."""
    return ticket_pb.Comment(
        id=str(comment.id),
        ticket_id=str(comment.ticket_id),
        body=comment.body,
        internal=comment.internal,
        author=actor_to_proto(comment.author_kind, comment.author_id),
        created_at=moment_to_proto(comment.created_at),
    )


def similar_to_proto(found: Mapping[UUID, list[Alike[domain.Ticket]]], watcher: Watcher) -> list[pb.SimilarTickets]:
    """Similar tickets by the one that was asked for, as whoever looks sees them."""
    return [
        pb.SimilarTickets(
            ticket_id=str(ticket_id),
            similar_tickets=[
                pb.SimilarTicket(
                    ticket=ticket_to_proto(alike.ticket, watcher),
                    similarity=alike.similarity,
                    shared_words=alike.shared_words,
                )
                for alike in alikes
            ],
        )
        for ticket_id, alikes in found.items()
    ]


def comments_to_proto(found: Mapping[UUID, tuple[list[values.Comment], bool]]) -> list[pb.TicketComments]:
    """Comments by ticket as others see them."""
    return [
        pb.TicketComments(ticket_id=str(ticket_id), comments=map(comment_to_proto, comments), has_next_page=more)
        for ticket_id, (comments, more) in found.items()
    ]


def option_to_proto(option: domain.TicketOption) -> ticket_pb.TicketOption:
    """An option as others see it."""
    return ticket_pb.TicketOption(
        kind=_kind_to_proto(option.kind),
        key=option.key,
        name=option.name,
        description=option.description,
        position=option.position,
        audience=_audience_to_proto(option.audience),
        archived=option.archived,
        version=option.version,
        priority_level=_level_to_proto(option.level),
    )


def fact_to_event(fact: object) -> Event:  # noqa: C901, PLR0911, PLR0912 - one return for each fact
    """A fact of the domain as it travels.

    Raises:
        TypeError: it is no fact of tickets.
    """
    match fact:
        case facts.TicketCreated(ticket_id, version, source, service):
            return _event("created", ticket_id, version, events.TicketCreated(source=source, service=service))
        case facts.TicketTriageRequested(ticket_id, version):
            return _event("triage_requested", ticket_id, version, events.TicketTriageRequested())
        case facts.TicketTriaged(ticket_id, version, decision_id, engine):
            triaged = events.TicketTriaged(decision_id=str(decision_id), engine=engine)
            return _event("triaged", ticket_id, version, triaged)
        case facts.TicketTriageSuggested(ticket_id, version, decision_id, engine, changed):
            waits = events.TicketTriageSuggested(decision_id=str(decision_id), engine=engine, changed=changed)
            return _event("triage_suggested", ticket_id, version, waits)
        case facts.TicketSuggestionAccepted(ticket_id, version, decision_id):
            taken = events.TicketSuggestionAccepted(decision_id=str(decision_id))
            return _event("suggestion_accepted", ticket_id, version, taken)
        case facts.TicketSuggestionDismissed(ticket_id, version, decision_id):
            unwanted = events.TicketSuggestionDismissed(decision_id=str(decision_id))
            return _event("suggestion_dismissed", ticket_id, version, unwanted)
        case facts.TicketErased(ticket_id, version):
            return _event("erased", ticket_id, version, events.TicketErased())
        case facts.TicketTriageFailed(ticket_id, version, failure):
            return _event("triage_failed", ticket_id, version, events.TicketTriageFailed(failure=failure))
        case facts.TicketUpdated(ticket_id, version, fields):
            return _event("updated", ticket_id, version, events.TicketUpdated(fields=fields))
        case facts.TicketAudienceUpdated(ticket_id, version, audience):
            shown = events.TicketAudienceUpdated(audience=_audience_to_proto(audience))
            return _event("audience_updated", ticket_id, version, shown)
        case facts.TicketAssigned(ticket_id, version, assignee_id):
            return _event("assigned", ticket_id, version, events.TicketAssigned(assignee_id=str(assignee_id or "")))
        case facts.TicketStatusUpdated(ticket_id, version, previous, status):
            moved = events.TicketStatusUpdated(
                previous_status=_status_to_proto(previous), status=_status_to_proto(status)
            )
            return _event("status_updated", ticket_id, version, moved)
        case facts.TicketCommented(ticket_id, version, comment_id, internal):
            said = events.TicketCommented(comment_id=str(comment_id), internal=internal)
            return _event("commented", ticket_id, version, said)
        case facts.TicketLogsLinked(ticket_id, version, log_ids):
            return _event("logs_linked", ticket_id, version, events.TicketLogsLinked(log_ids=map(str, log_ids)))
        case facts.TicketLogsUnlinked(ticket_id, version, log_ids):
            return _event("logs_unlinked", ticket_id, version, events.TicketLogsUnlinked(log_ids=map(str, log_ids)))
        case facts.TicketOptionSaved(option_id, version, kind, key):
            saved = events.TicketOptionSaved(kind=_kind_to_proto(kind), key=key)
            return Event("aiops.tickets.ticket_option.saved.v1", "ticket_option", option_id, version, saved)
    raise TypeError(f"{type(fact).__name__} is no fact of tickets")


def _event(name: str, ticket_id: UUID, version: int, payload: _TicketPayload) -> Event:
    payload.ticket_id = str(ticket_id)
    return Event(f"aiops.tickets.ticket.{name}.v1", "ticket", ticket_id, version, payload)


def _status_to_proto(status: values.TicketStatus) -> "ticket_pb.TicketStatus.ValueType":
    return ticket_pb.TicketStatus.Value(f"TICKET_STATUS_{status}")


def _text(text: values.RevealedText) -> ticket_pb.RevealedText:
    return ticket_pb.RevealedText(
        text=text.text, state=ticket_pb.RevealedTextState.Value(f"REVEALED_TEXT_STATE_{text.state}")
    )


def _audience_to_proto(audience: values.Audience) -> "ticket_pb.TicketAudience.ValueType":
    return ticket_pb.TicketAudience.Value(f"TICKET_AUDIENCE_{audience}")


def _kind_to_proto(kind: OptionKind) -> "ticket_pb.OptionKind.ValueType":
    return ticket_pb.OptionKind.Value(f"OPTION_KIND_{kind}")


def _level_to_proto(level: values.PriorityLevel | None) -> "ticket_pb.TicketPriority.ValueType":
    return ticket_pb.TicketPriority.Value(f"TICKET_PRIORITY_{'UNSPECIFIED' if level is None else level.name}")


def _source_to_proto(value: values.Value) -> "ticket_pb.ValueSource.ValueType":
    return ticket_pb.ValueSource.Value(f"VALUE_SOURCE_{value.source}")
