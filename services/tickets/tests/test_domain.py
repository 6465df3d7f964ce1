"""What may happen to a ticket, without a database."""

from dataclasses import replace
from datetime import timedelta
from itertools import product
from uuid import UUID

import pytest
from services.tickets.tests.factories import ADMIN, HR, MOMENT, NOBODY, OPS, decision, make_ticket

from chassis.errors import DomainError, InvalidArgument
from chassis.ids import uuid7
from tickets_service.domain import guard_log_count
from tickets_service.facts import TicketAudienceUpdated, TicketTriaged
from tickets_service.values import (
    Audience,
    Choice,
    Reporter,
    TicketStatus,
    TriageState,
    Value,
    ValueSource,
    Watcher,
    clean_email,
    clean_key,
)

LATER = MOMENT + timedelta(minutes=3)
MOVES = {
    "OPEN": ["IN_PROGRESS", "WAITING", "RESOLVED", "CLOSED"],
    "IN_PROGRESS": ["OPEN", "WAITING", "RESOLVED", "CLOSED"],
    "WAITING": ["OPEN", "IN_PROGRESS", "RESOLVED", "CLOSED"],
    "RESOLVED": ["OPEN", "CLOSED"],
    "CLOSED": ["OPEN"],
}


@pytest.mark.parametrize(("before", "after"), list(product(TicketStatus, TicketStatus)))
def test_the_state_machine_is_the_declared_one(before: TicketStatus, after: TicketStatus) -> None:
    ticket = make_ticket(status=before)

    if after in MOVES[before]:
        moved, fact = ticket.moved_to(after, at=LATER)
        assert (moved.status, moved.version, moved.updated_at) == (after, 2, LATER)
        assert (fact.previous_status, fact.status, fact.version) == (before, after, 2)
    else:
        with pytest.raises(DomainError) as refused:
            ticket.moved_to(after, at=LATER)
        assert refused.value.reason == "TICKET_STATUS_TRANSITION_INVALID"
        assert refused.value.metadata == {"from": before, "to": after, "allowed": ", ".join(MOVES[before])}


@pytest.mark.parametrize(
    ("audience", "suspected", "watcher", "wanted", "outcome"),
    [
        ("GENERAL", False, OPS, "PEOPLE", ("PEOPLE", False, False)),
        ("GENERAL", False, NOBODY, "PEOPLE", ("PEOPLE", False, False)),
        ("GENERAL", True, NOBODY, "PEOPLE", ("PEOPLE", True, False)),
        ("GENERAL", False, OPS, "GENERAL", "TICKET_AUDIENCE_UNCHANGED"),
        ("GENERAL", True, OPS, "GENERAL", "TICKET_AUDIENCE_FORBIDDEN"),
        ("PEOPLE", False, OPS, "GENERAL", "TICKET_AUDIENCE_FORBIDDEN"),
        ("PEOPLE", True, NOBODY, "GENERAL", "TICKET_AUDIENCE_FORBIDDEN"),
        ("PEOPLE", True, NOBODY, "PEOPLE", "TICKET_AUDIENCE_UNCHANGED"),
        ("GENERAL", True, HR, "GENERAL", ("GENERAL", False, True)),
        ("GENERAL", True, ADMIN, "PEOPLE", ("PEOPLE", False, True)),
        ("PEOPLE", False, HR, "GENERAL", ("GENERAL", False, True)),
        ("PEOPLE", False, ADMIN, "GENERAL", ("GENERAL", False, True)),
        ("PEOPLE", True, HR, "PEOPLE", ("PEOPLE", False, True)),
        ("PEOPLE", False, HR, "PEOPLE", "TICKET_AUDIENCE_UNCHANGED"),
        ("GENERAL", False, ADMIN, "GENERAL", "TICKET_AUDIENCE_UNCHANGED"),
    ],
)
def test_anybody_narrows_and_only_hr_and_admins_widen_and_decide(
    *, audience: str, suspected: bool, watcher: Watcher, wanted: str, outcome: object
) -> None:
    ticket = make_ticket(audience=Audience(audience), people_suspected=suspected)

    if isinstance(outcome, str):
        with pytest.raises(DomainError) as refused:
            ticket.shown_to(Audience(wanted), watcher, at=LATER)
        assert refused.value.reason == outcome
    else:
        shown, fact = ticket.shown_to(Audience(wanted), watcher, at=LATER)
        assert (shown.audience, shown.people_suspected, shown.audience_decided) == outcome
        assert fact == TicketAudienceUpdated(ticket.id, 2, Audience(wanted))


@pytest.mark.parametrize(
    ("watcher", "general", "hidden"),
    [(ADMIN, True, True), (OPS, True, False), (HR, False, True), (NOBODY, False, False)],
)
def test_roles_see_their_half_and_everybody_what_he_reported(*, watcher: Watcher, general: bool, hidden: bool) -> None:
    outsiders = {"reporter": Reporter(external_name="Ada")}
    his_own = {"reporter": Reporter(UUID(watcher.id))}

    assert make_ticket(**outsiders).is_visible_to(watcher) == general
    for changes in ({"audience": Audience.PEOPLE}, {"people_suspected": True}):
        assert make_ticket(**outsiders, **changes).is_visible_to(watcher) == hidden
        assert make_ticket(**his_own, **changes).is_visible_to(watcher)
    assert not make_ticket(reporter=Reporter()).is_visible_to(Watcher("service_account", watcher.id))


def test_triage_gives_what_nobody_gave_and_keeps_what_a_person_did() -> None:
    ticket = make_ticket(
        triage_state=TriageState.PENDING, priority=Value("low", ValueSource.PERSON), team=Value("x", ValueSource.TRIAGE)
    )
    given = decision()

    triaged, fact = ticket.triaged(given, narrows=False, at=LATER)

    assert triaged.category == Value("bug", ValueSource.TRIAGE)
    assert triaged.priority == Value("low", ValueSource.PERSON)
    assert triaged.team == Value("development", ValueSource.TRIAGE)
    assert triaged.triage == replace(given, kept=("priority",))
    assert (triaged.triage_state, triaged.audience, triaged.people_suspected) == ("TRIAGED", "GENERAL", False)
    assert fact == TicketTriaged(ticket.id, 2, given.id, "builtin")


def test_what_triage_does_not_know_it_takes_back() -> None:
    ticket = make_ticket(category=Value("bug", ValueSource.TRIAGE))

    triaged, _ = ticket.triaged(decision(category=Choice()), narrows=False, at=LATER)

    assert triaged.category == Value()


@pytest.mark.parametrize(
    ("before", "confidence", "narrows", "after"),
    [
        ({}, 0.0, False, ("GENERAL", False)),
        ({}, 0.79, False, ("GENERAL", True)),
        ({}, 0.8, False, ("PEOPLE", False)),
        ({}, 0.0, True, ("PEOPLE", False)),
        ({"people_suspected": True}, 0.0, False, ("GENERAL", True)),
        ({"people_suspected": True}, 0.9, False, ("PEOPLE", True)),
        ({"audience": Audience.PEOPLE}, 0.0, False, ("PEOPLE", False)),
        ({"audience_decided": True}, 1.0, True, ("GENERAL", False)),
        ({"audience_decided": True, "audience": Audience.PEOPLE}, 0.0, False, ("PEOPLE", False)),
    ],
)
def test_triage_narrows_or_suspects_and_never_widens(
    *, before: dict[str, object], confidence: float, narrows: bool, after: tuple[str, bool]
) -> None:
    given = decision(people_suspected=confidence > 0, people_confidence=confidence)

    triaged, _ = make_ticket(**before).triaged(given, narrows=narrows, at=LATER)

    assert (triaged.audience, triaged.people_suspected) == after


@pytest.mark.parametrize(("decided", "suspected"), [(False, True), (True, False)])
def test_a_suspicious_title_is_suspected_unless_it_was_decided(*, decided: bool, suspected: bool) -> None:
    ticket = make_ticket(audience_decided=decided)

    updated, fact = ticket.updated(
        title="My salary",
        description=ticket.description,
        service="shop",
        values={},
        narrows=False,
        suspicious=True,
        at=LATER,
    )

    assert updated.people_suspected is suspected
    assert fact is not None
    assert fact.changed_fields == (("title", "people_suspected") if suspected else ("title",))


def test_a_ticket_is_triaged_again_when_it_does_not_wait_or_has_waited_too_long() -> None:
    waiting = make_ticket(triage_state=TriageState.PENDING)
    failed = make_ticket(triage_state=TriageState.FAILED, triage_failure="away")

    with pytest.raises(DomainError) as refused:
        waiting.retriaged(at=MOMENT + timedelta(minutes=10, microseconds=-1))
    again, _ = waiting.retriaged(at=MOMENT + timedelta(minutes=10))
    repaired, _ = failed.retriaged(at=LATER)

    assert refused.value.reason == "TICKET_TRIAGE_IN_PROGRESS"
    assert (again.version, again.triage_requested_at) == (2, MOMENT + timedelta(minutes=10))
    assert (repaired.triage_state, repaired.triage_failure) == ("PENDING", "")


def test_logs_are_linked_once_newest_first_and_at_most_fifty() -> None:
    old, new = [uuid7() for _ in range(2)], [uuid7() for _ in range(3)]
    ticket = make_ticket(log_ids=tuple(old))

    linked, fact = ticket.with_logs([new[0], old[0], new[1], new[0]], at=LATER)
    left, gone = linked.without_logs([old[1], new[2]], at=LATER)

    assert linked.log_ids == (new[0], new[1], *old)
    assert fact is not None
    assert fact.log_ids == (new[0], new[1])
    assert ticket.with_logs(old, at=LATER) == (ticket, None)
    assert (left.log_ids, gone.log_ids, left.version) == ((new[0], new[1], old[0]), (old[1],), 3)
    with pytest.raises(DomainError) as unlinked:
        ticket.without_logs(new, at=LATER)
    assert unlinked.value.reason == "TICKET_LOG_NOT_LINKED"
    guard_log_count(50)
    with pytest.raises(DomainError) as full:
        make_ticket(log_ids=tuple(uuid7() for _ in range(48))).with_logs(new, at=LATER)
    assert (full.value.reason, full.value.metadata) == ("TICKET_LOGS_EXCEEDED", {"maximum": "50"})


def test_keys_and_addresses_have_a_form() -> None:
    assert clean_key("night-shift_2", field="option.key") == "night-shift_2"
    assert clean_email(" ada@example.com ", field="e") == "ada@example.com"
    assert clean_email("", field="e") == ""
    for key in ("", "Bug", "2nd", "a b", "x" * 51, "é"):
        with pytest.raises(InvalidArgument):
            clean_key(key, field="option.key")
    for address in ("ada", "ada@", "a b@c", "<a@b>", "a@b\n"):
        with pytest.raises(InvalidArgument):
            clean_email(address + "@" if address == "a@b\n" else address, field="e")
