"""Between protos and domain: no enum value is lost, and every fact has its event."""

from typing import Any
from uuid import UUID

import pytest
from services.tickets.tests.factories import ADMIN, MOMENT, NOBODY, OPS, UNKNOWN, decision, make_ticket

from aiops.ai.v1.ai_service_pb2 import TriageTicketResponse
from aiops.ai.v1.run_pb2 import Engine, Run
from aiops.ai.v1.triage_pb2 import Choice, Reason, Suspicion
from aiops.errors.v1.error_reason_pb2 import ErrorReason
from aiops.tickets.v1 import ticket_pb2 as ticket_pb
from aiops.tickets.v1 import tickets_service_pb2 as pb
from chassis.errors import DomainError
from tickets_service import convert, convert_requests, convert_triage, domain, errors, facts, values

ID = UUID(UNKNOWN)
BEYOND: Any = 9
"""A number that no enum has."""


@pytest.mark.parametrize(
    ("proto", "kind", "prefix"),
    [
        (ticket_pb.TicketStatus, values.TicketStatus, "TICKET_STATUS_"),
        (ticket_pb.TicketAudience, values.Audience, "TICKET_AUDIENCE_"),
        (ticket_pb.TriageState, values.TriageState, "TRIAGE_STATE_"),
        (ticket_pb.OptionKind, values.OptionKind, "OPTION_KIND_"),
        (ticket_pb.TicketField, values.TicketField, "TICKET_FIELD_"),
    ],
)
def test_enums_have_the_names_and_the_order_of_the_proto(proto: Any, kind: Any, prefix: str) -> None:
    assert [f"{prefix}UNSPECIFIED", *(f"{prefix}{member}" for member in kind)] == list(proto.keys())


def test_value_sources_have_the_names_of_the_proto() -> None:
    assert [f"VALUE_SOURCE_{source}" for source in values.ValueSource] == list(ticket_pb.ValueSource.keys())


def test_every_reason_is_declared_and_every_declared_one_of_tickets_is_raised() -> None:
    raised = {
        member.reason for member in vars(errors).values() if isinstance(member, type)
        and issubclass(member, DomainError)
        and hasattr(member, "reason")
    }  # fmt: skip
    declared = {name.removeprefix("ERROR_REASON_") for name in ErrorReason.keys()}  # noqa: SIM118 - an enum wrapper

    assert raised <= declared
    assert {name for name in declared if name.startswith("TICKET_")} <= raised


FACTS: list[tuple[Any, str, dict[str, Any]]] = [
    (facts.TicketCreated(ID, 1, "web", "shop"), "created", {"source": "web", "service": "shop"}),
    (facts.TicketTriageRequested(ID, 1), "triage_requested", {}),
    (facts.TicketTriaged(ID, 1, ID, "builtin"), "triaged", {"decision_id": UNKNOWN, "engine": "builtin"}),
    (facts.TicketTriageFailed(ID, 1, "away"), "triage_failed", {"failure": "away"}),
    (
        facts.TicketTriageSuggested(ID, 1, ID, "builtin", ("title",)),
        "triage_suggested",
        {"decision_id": UNKNOWN, "engine": "builtin", "changed": ["title"]},
    ),
    (facts.TicketSuggestionAccepted(ID, 1, ID), "suggestion_accepted", {"decision_id": UNKNOWN}),
    (facts.TicketSuggestionDismissed(ID, 1, ID), "suggestion_dismissed", {"decision_id": UNKNOWN}),
    (facts.TicketErased(ID, 1), "erased", {}),
    (facts.TicketUpdated(ID, 1, ("title",)), "updated", {"fields": ["title"]}),
    (facts.TicketAudienceUpdated(ID, 1, values.Audience.PEOPLE), "audience_updated", {"audience": 2}),
    (facts.TicketAssigned(ID, 1, None), "assigned", {"assignee_id": ""}),
    (facts.TicketAssigned(ID, 1, ID), "assigned", {"assignee_id": UNKNOWN}),
    (
        facts.TicketStatusUpdated(ID, 1, values.TicketStatus.OPEN, values.TicketStatus.CLOSED),
        "status_updated", {"previous_status": 1, "status": 5},
    ),
    (facts.TicketCommented(ID, 1, ID, internal=True), "commented", {"comment_id": UNKNOWN, "internal": True}),
    (facts.TicketLogsLinked(ID, 1, (ID,)), "logs_linked", {"log_ids": [UNKNOWN]}),
    (facts.TicketLogsUnlinked(ID, 1, (ID,)), "logs_unlinked", {"log_ids": [UNKNOWN]}),
]  # fmt: skip


@pytest.mark.parametrize(("fact", "name", "fields"), FACTS)
def test_each_fact_is_one_event_of_the_ticket(fact: Any, name: str, fields: dict[str, Any]) -> None:
    event = convert.fact_to_event(fact)

    assert (event.subject, event.aggregate_type) == (f"aiops.tickets.ticket.{name}.v1", "ticket")
    assert (event.aggregate_id, event.aggregate_version) == (ID, 1)
    assert event.payload == type(event.payload)(ticket_id=UNKNOWN, **fields)


def test_what_is_no_fact_is_no_event() -> None:
    with pytest.raises(TypeError, match="Ticket is no fact"):
        convert.fact_to_event(make_ticket())


def test_comments_are_counted_as_whoever_looks_may_read_them() -> None:
    ticket = make_ticket(public_comment_count=2, internal_comment_count=3)
    hidden = make_ticket(public_comment_count=2, internal_comment_count=3, people_suspected=True)

    counts = [
        convert.ticket_to_proto(shown, watcher).comment_count
        for watcher in (ADMIN, OPS, NOBODY)
        for shown in (ticket, hidden)
    ]

    assert counts == [5, 5, 5, 2, 2, 2]


def test_a_decision_is_shown_as_it_was_kept() -> None:
    shown = convert_triage.decision_to_proto(decision(kept=("team",), people_suspected=True))

    assert (shown.engine, shown.category.value, shown.category.confidence) == ("builtin", "bug", 0.7)
    assert (shown.category.uncertain, shown.people_suspected, list(shown.kept)) == (False, True, ["team"])
    (reason,) = shown.category.reasons
    assert (reason.field, reason.start, reason.end, reason.quote) == (ticket_pb.TICKET_FIELD_TITLE, 0, 8, "Checkout")


def test_an_answer_of_ai_is_read_and_what_points_nowhere_is_left_out() -> None:
    reasons = [Reason(field=number, start=0, end=8, quote="Checkout") for number in (0, 1, 2)]  # type: ignore[arg-type]
    answer = TriageTicketResponse(
        run=Run(id="r", engine=Engine.ENGINE_OPENAI, model="m-1", prompt_version=3, fallback_reason=""),
        category=Choice(value="bug", confidence=0.5, reasons=reasons),
        people=Suspicion(suspected=True, confidence=0.9),
    )

    read = convert_triage.decision_from(answer, make_ticket(version=4), at=MOMENT)

    assert (read.engine, read.model, read.prompt_version, read.run_id) == ("openai", "m-1", 3, "r")
    assert [reason.field for reason in read.category.reasons] == ["TITLE", "MESSAGE"]
    assert (read.priority, read.people_suspected, read.people_confidence) == (values.Choice(uncertain=False), True, 0.9)
    assert (read.ticket_version, read.created_at) == (4, MOMENT)


def test_an_archived_option_is_offered_to_ai_only_by_whoever_passes_it() -> None:
    option = domain.TicketOption(
        ID, 1, values.OptionKind.TEAM, "night", "Night", "Awake.", 1, values.Audience.GENERAL, archived=False
    )

    request = convert_triage.triage_request(make_ticket(), [option])

    assert [(team.key, team.name, team.description) for team in request.teams] == [("night", "Night", "Awake.")]
    assert (list(request.categories), list(request.priorities)) == ([], [])


def test_an_empty_request_means_the_caller_from_the_api_and_for_all() -> None:
    cmd = convert_requests.create_command(pb.CreateTicketRequest(title="Printer"))

    assert (cmd.reporter, cmd.source, cmd.audience, cmd.values, cmd.log_ids) == (
        None, "api", values.Audience.GENERAL, {}, (),
    )  # fmt: skip


def test_absent_fields_of_an_update_stay_and_empty_ones_do_not() -> None:
    absent = convert_requests.update_command(pb.UpdateTicketRequest(ticket_id=UNKNOWN, expected_version=1))
    empty = convert_requests.update_command(
        pb.UpdateTicketRequest(ticket_id=UNKNOWN, expected_version=1, service="", category="")
    )

    assert (absent.title, absent.service, absent.values) == (None, None, {})
    assert (empty.title, empty.service, empty.values) == (None, "", {values.OptionKind.CATEGORY: ""})


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (pb.TicketFilter(statuses=[BEYOND]), "filter.statuses"),
        (pb.TicketFilter(triage_states=[ticket_pb.TRIAGE_STATE_UNSPECIFIED]), "filter.triage_states"),
        (pb.TicketFilter(audience=3), "filter.audience"),  # type: ignore[arg-type]
        (pb.TicketFilter(assignee_id="x"), "filter.assignee_id"),
        (pb.TicketFilter(reporter_id="x"), "filter.reporter_id"),
        (pb.TicketFilter(text="x" * 201), "filter.text"),
        (pb.TicketFilter(text="\x00"), "filter.text"),
        (pb.TicketFilter(categories=["\x00"]), "filter.categories"),
        (pb.TicketFilter(external_reference="INC-7"), "filter.source"),
        (pb.TicketFilter(categories=["bug"] * 101), "filter.categories"),
        (pb.TicketFilter(priorities=["low"] * 101), "filter.priorities"),
        (pb.TicketFilter(teams=["people"] * 101), "filter.teams"),
    ],
)
def test_filters_that_mean_nothing_are_refused(wanted: pb.TicketFilter, field: str) -> None:
    with pytest.raises(DomainError) as refused:
        convert_requests.ticket_filter(wanted)

    assert (refused.value.reason, refused.value.metadata) == ("INVALID_ARGUMENT", {"field": field})


def test_a_filter_may_repeat_itself_at_will() -> None:
    wanted = pb.TicketFilter(
        statuses=[ticket_pb.TICKET_STATUS_OPEN] * 70_000, triage_states=[ticket_pb.TRIAGE_STATE_FAILED] * 70_000
    )

    read = convert_requests.ticket_filter(wanted)

    assert (read.statuses, read.triage_states) == ((values.TicketStatus.OPEN,), (values.TriageState.FAILED,))
