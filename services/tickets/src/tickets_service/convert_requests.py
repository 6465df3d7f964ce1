"""From requests to wishes in domain words: what is malformed is refused here, with the path of its field. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeVar
from uuid import UUID

from google.protobuf.message import Message

from aiops.tickets.v1 import ticket_pb2 as ticket_pb
from aiops.tickets.v1 import tickets_service_pb2 as pb
from chassis.cleaning import clean_line, clean_text
from chassis.errors import InvalidArgument, PageSizeOutOfRange
from chassis.ids import parse_id
from tickets_service import values
from tickets_service.commands import (
    AddTicketComment,
    AssignTicket,
    Change,
    ChangeTicketLogs,
    CreateTicket,
    RevealTicket,
    SaveTicketOption,
    TicketFilter,
    UpdateTicket,
    UpdateTicketAudience,
    UpdateTicketStatus,
)
from tickets_service.values import OptionKind, clean_email, clean_key

MAXIMUM_POSITION = 10_000
MAXIMUM_COMMENTS = 100
MINIMUM_REASON = 10
MAXIMUM_REASON = 500
MAXIMUM_FILTER_KEYS = 100
"""Of each list of a filter. Postgres takes 65,535 parameters, and tells of more as if it were away."""
_FIELDS: Mapping[OptionKind, Literal["category", "priority", "team"]] = {
    OptionKind.CATEGORY: "category",
    OptionKind.PRIORITY: "priority",
    OptionKind.TEAM: "team",
}
_REPLACED_BY = {"message": "description", "priority": "priority_level", "priorities": "priority_levels"}
E = TypeVar("E", values.TicketStatus, values.Audience, values.TriageState, values.OptionKind)
_PREFIXES: Mapping[type, str] = {
    values.TicketStatus: "TICKET_STATUS_",
    values.Audience: "TICKET_AUDIENCE_",
    values.TriageState: "TRIAGE_STATE_",
    values.OptionKind: "OPTION_KIND_",
}


def create_command(request: pb.CreateTicketRequest) -> CreateTicket:
    """The wish for a ticket.

    Raises:
        InvalidArgument: a field is missing or malformed.
    """
    reference = clean_line(
        request.external_reference, field="external_reference", minimum=0, maximum=values.MAXIMUM_REFERENCE_CHARACTERS
    )
    return CreateTicket(
        title=_title(request.title),
        description=_new_description(request),
        reporter=_reporter(request.reporter),
        source=clean_key(request.source or "api", field="source"),
        external_reference=reference,
        service=_service(request.service),
        audience=_audience(request.audience),
        values=_chosen({kind: key for kind in OptionKind if (key := getattr(request, kind.field))}),
        priority_level=_level(request.priority_level, field="priority_level"),
        log_ids=_log_ids(request.log_ids, minimum=0),
    )


def change_command(
    request: pb.RetriageTicketRequest | pb.AcceptTicketSuggestionRequest | pb.DismissTicketSuggestionRequest,
) -> Change:
    """The wish for something else of a ticket."""
    return Change(parse_id(request.ticket_id, field="ticket_id"), request.expected_version)


def reveal_command(request: pb.RevealTicketRequest) -> RevealTicket:
    """The wish to read whole texts."""
    reason = clean_line(request.reason, field="reason", minimum=MINIMUM_REASON, maximum=MAXIMUM_REASON)
    return RevealTicket(parse_id(request.ticket_id, field="ticket_id"), reason)


def update_command(request: pb.UpdateTicketRequest) -> UpdateTicket:
    """The wish for other words or choices."""
    chosen = {kind: getattr(request, kind.field) for kind in OptionKind if request.HasField(_FIELDS[kind])}
    cleared = request.HasField("priority_level") and not request.priority_level
    if cleared and chosen.setdefault(OptionKind.PRIORITY, ""):
        raise InvalidArgument("priority names one and this names none; give one of them", field="priority_level")
    return UpdateTicket(
        ticket_id=parse_id(request.ticket_id, field="ticket_id"),
        expected_version=request.expected_version,
        title=_title(request.title) if request.HasField("title") else None,
        service=_service(request.service) if request.HasField("service") else None,
        description=_description(request.description) if request.HasField("description") else None,
        values=_chosen(chosen),
        priority_level=_level(request.priority_level, field="priority_level"),
    )


def update_status_command(request: pb.UpdateTicketStatusRequest) -> UpdateTicketStatus:
    """The wish for another status."""
    return UpdateTicketStatus(
        ticket_id=parse_id(request.ticket_id, field="ticket_id"),
        expected_version=request.expected_version,
        status=_known(values.TicketStatus, request.status, field="status"),
    )


def update_audience_command(request: pb.UpdateTicketAudienceRequest) -> UpdateTicketAudience:
    """The wish for another audience."""
    return UpdateTicketAudience(
        ticket_id=parse_id(request.ticket_id, field="ticket_id"),
        expected_version=request.expected_version,
        audience=_known(values.Audience, request.audience, field="audience"),
    )


def assign_command(request: pb.AssignTicketRequest) -> AssignTicket:
    """The wish for somebody else to do it."""
    return AssignTicket(
        ticket_id=parse_id(request.ticket_id, field="ticket_id"),
        expected_version=request.expected_version,
        assignee_id=_optional_id(request.assignee_id, field="assignee_id"),
    )


def comment_command(request: pb.AddTicketCommentRequest) -> AddTicketComment:
    """The wish to say something."""
    return AddTicketComment(
        ticket_id=parse_id(request.ticket_id, field="ticket_id"),
        expected_version=request.expected_version,
        body=clean_text(request.body, field="body", minimum=1, maximum=values.MAXIMUM_COMMENT_CHARACTERS),
        internal=request.internal,
    )


def logs_command(request: pb.LinkTicketLogsRequest | pb.UnlinkTicketLogsRequest) -> ChangeTicketLogs:
    """The wish for logs to be linked, or not any more."""
    return ChangeTicketLogs(
        ticket_id=parse_id(request.ticket_id, field="ticket_id"),
        expected_version=request.expected_version,
        log_ids=_log_ids(request.log_ids, minimum=1),
    )


def option_command(request: pb.SaveTicketOptionRequest) -> SaveTicketOption:
    """The wish for a category, priority or team."""
    option = request.option
    if request.expected_version < 0:
        raise InvalidArgument(
            "this must be the version that you read, or 0 to make a new option", field="expected_version"
        )
    if not 0 <= option.position <= MAXIMUM_POSITION:
        raise InvalidArgument(f"this must be 0 to {MAXIMUM_POSITION:,}", field="option.position")
    return SaveTicketOption(
        expected_version=request.expected_version,
        kind=_known(OptionKind, option.kind, field="option.kind"),
        key=clean_key(option.key, field="option.key"),
        name=clean_line(option.name, field="option.name", minimum=1, maximum=values.MAXIMUM_OPTION_NAME_CHARACTERS),
        description=clean_line(
            option.description,
            field="option.description",
            minimum=0,
            maximum=values.MAXIMUM_OPTION_DESCRIPTION_CHARACTERS,
        ),
        position=option.position,
        audience=_audience(option.audience, field="option.audience"),
        archived=option.archived,
        level=_option_level(option),
    )


def deprecated_fields(request: Message) -> list[str]:
    """Fields of a request that are deprecated and given without what replaces them, as "Message.field"."""
    given = {field.name: field for field, _ in request.ListFields()}
    return [
        f"{request.DESCRIPTOR.name}.{name}"
        for name, field in given.items()
        if field.GetOptions().deprecated and _REPLACED_BY[name] not in given
    ]


def ticket_filter(wanted: pb.TicketFilter, order: int = 0, redact: Callable[[str], str] = str) -> TicketFilter:
    """What a list of tickets is narrowed to; `redact` makes values what they became when they were stored."""
    if wanted.external_reference and not wanted.source:
        raise InvalidArgument("give a source beside the external reference", field="filter.source")
    return TicketFilter(
        statuses=_all_known(values.TicketStatus, wanted.statuses, field="filter.statuses"),
        categories=_keys(wanted.categories, field="filter.categories"),
        priorities=_keys(wanted.priorities, field="filter.priorities"),
        teams=_keys(wanted.teams, field="filter.teams"),
        assignee_id=_optional_id(wanted.assignee_id, field="filter.assignee_id"),
        unassigned=wanted.unassigned,
        text=_searchable(wanted.text, field="filter.text"),
        audience=_known(values.Audience, wanted.audience, field="filter.audience") if wanted.audience else None,
        people_suspected=wanted.people_suspected,
        triage_states=_all_known(values.TriageState, wanted.triage_states, field="filter.triage_states"),
        reporter_id=_optional_id(wanted.reporter_id, field="filter.reporter_id"),
        service=redact(_searchable(wanted.service, field="filter.service")),
        source=_searchable(wanted.source, field="filter.source"),
        external_reference=redact(_searchable(wanted.external_reference, field="filter.external_reference")),
        priority_levels=tuple(
            _known_level(level, field="filter.priority_levels") for level in dict.fromkeys(wanted.priority_levels)
        ),
        most_urgent_first=_is_by_urgency(order),
    )


def first_of(first: int, *, maximum: int) -> int:
    """How many items are wanted for each id.

    Raises:
        PageSizeOutOfRange: fewer than 1, or more than are served.
    """
    if not 1 <= first <= maximum:
        raise PageSizeOutOfRange(
            f"this must be 1 to {maximum}; {first} were asked for", field="first", minimum="1", maximum=str(maximum)
        )
    return first


def comment_page(request: pb.BatchListTicketCommentsRequest) -> tuple[int, UUID | None]:
    """How many comments are wanted, and after which one.

    Raises:
        PageSizeOutOfRange: fewer than 1 or more than 100 are.
        InvalidArgument: the id is malformed, or several tickets were asked for.
    """
    first = first_of(request.first, maximum=MAXIMUM_COMMENTS)
    if request.after_id and len(request.ticket_ids) != 1:
        raise InvalidArgument("give this with one ticket id at a time", field="after_id")
    return first, _optional_id(request.after_id, field="after_id")


def _title(text: str) -> str:
    return clean_line(text, field="title", minimum=1, maximum=values.MAXIMUM_TITLE_CHARACTERS)


def _description(text: str, *, field: str = "description") -> str:
    return clean_text(text, field=field, minimum=0, maximum=values.MAXIMUM_DESCRIPTION_CHARACTERS)


def _new_description(request: pb.CreateTicketRequest) -> str:
    """The text, by its new name, by its old one, or the same by both."""
    old, new = _description(request.message, field="message"), _description(request.description)
    if old and new and old != new:
        raise InvalidArgument("message says something else; give one of them", field="description")
    return new or old


def _level(number: int, *, field: str) -> values.PriorityLevel | None:
    return _known_level(number, field=field) if number else None


def _known_level(number: int, *, field: str) -> values.PriorityLevel:
    if number not in set(values.PriorityLevel):
        names = ", ".join(f"TICKET_PRIORITY_{level.name}" for level in values.PriorityLevel)
        raise InvalidArgument(f"this must be one of {names}", field=field)
    return values.PriorityLevel(number)


def _option_level(option: ticket_pb.TicketOption) -> values.PriorityLevel | None:
    if option.priority_level and option.kind != ticket_pb.OPTION_KIND_PRIORITY:
        raise InvalidArgument("only a priority has one", field="option.priority_level")
    return _level(option.priority_level, field="option.priority_level")


def _is_by_urgency(order: int) -> bool:
    if order not in set(pb.TicketOrder.values()):
        raise InvalidArgument("this must be one of TICKET_ORDER_NEWEST, TICKET_ORDER_MOST_URGENT", field="order")
    return order == pb.TICKET_ORDER_MOST_URGENT


def _service(text: str) -> str:
    return clean_line(text, field="service", minimum=0, maximum=values.MAXIMUM_SERVICE_CHARACTERS)


def _reporter(reporter: ticket_pb.Reporter) -> values.Reporter | None:
    given = values.Reporter(
        user_id=_optional_id(reporter.user_id, field="reporter.user_id"),
        external_name=clean_line(
            reporter.external_name, field="reporter.external_name", minimum=0, maximum=values.MAXIMUM_NAME_CHARACTERS
        ),
        external_email=clean_email(reporter.external_email, field="reporter.external_email"),
    )
    if given.user_id is not None and (given.external_name or given.external_email):
        raise InvalidArgument("give a user id, or name and e-mail of somebody outside, not both", field="reporter")
    return None if given == values.Reporter() else given


def _log_ids(ids: Sequence[str], *, minimum: int) -> tuple[UUID, ...]:
    """Ids of logs, each once; a malformed one is named by its place."""
    if not minimum <= len(ids) <= values.MAXIMUM_LOGS:
        raise InvalidArgument(f"these must be {minimum} to {values.MAXIMUM_LOGS} ids", field="log_ids")
    return tuple(dict.fromkeys(parse_id(text, field=f"log_ids.{place}") for place, text in enumerate(ids)))


def _chosen(keys: dict[OptionKind, str]) -> Mapping[OptionKind, str]:
    return {kind: _searchable(key, field=kind.field) for kind, key in keys.items()}


def _optional_id(text: str, *, field: str) -> UUID | None:
    return parse_id(text, field=field) if text else None


def _searchable(text: str, *, field: str) -> str:
    return clean_text(text, field=field, maximum=values.MAXIMUM_TITLE_CHARACTERS)


def _keys(keys: Sequence[str], *, field: str) -> tuple[str, ...]:
    if len(keys) > MAXIMUM_FILTER_KEYS:
        raise InvalidArgument(f"this may hold at most {MAXIMUM_FILTER_KEYS} keys, these are {len(keys)}", field=field)
    return tuple(_searchable(key, field=field) for key in keys)


def _audience(number: int, *, field: str = "audience") -> values.Audience:
    return _known(values.Audience, number, field=field) if number else values.Audience.GENERAL


def _known(kind: type[E], number: int, *, field: str) -> E:
    members: list[E] = list(kind)
    if not 1 <= number <= len(members):
        names = ", ".join(f"{_PREFIXES[kind]}{member}" for member in members)
        raise InvalidArgument(f"this must be one of {names}", field=field)
    return members[number - 1]


def _all_known(kind: type[E], numbers: Sequence[int], *, field: str) -> tuple[E, ...]:
    """Each once: there are only a few."""
    return tuple(_known(kind, number, field=field) for number in dict.fromkeys(numbers))
