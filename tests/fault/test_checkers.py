"""Each checker stays silent on what is well, and names a violation that was planted for it."""

from uuid import UUID, uuid4

from tests.fault import checkers
from tests.fault.checkers import Change, Fact, Facts, Readable, Seen
from tests.fault.history import History, Op

TICKET, EVENT, EFFECT = uuid4(), uuid4(), uuid4()
CREATED, TRIAGED = "aiops.tickets.ticket.created.v1", "aiops.tickets.ticket.triaged.v1"


def created(**values: object) -> Op:
    op = Op("ops", "createTicket", "ticket", "m1", target="t1", version=1, outcome="ok")
    return changed(op, **values)


def updated(**values: object) -> Op:
    op = Op("ops", "updateTicket", "ticket", "m2", target="t1", expected_version=1, version=2, outcome="ok")
    return changed(op, **values)


def changed(op: Op, **values: object) -> Op:
    for name, value in values.items():
        setattr(op, name, value)
    return op


def shown(version: int = 2, words: str = "m2", times: int = 1) -> Readable:
    return Readable({("ticket", "m1"): [Seen("t1", version)] * times}, {"t1": version}, {"t1": words})


def fact(event_id: UUID, version: int, subject: str, *, published: bool = True, cause: str = "") -> Fact:
    return Fact(event_id, "ticket", TICKET, version, subject, published, cause)


def facts() -> Facts:
    """A ticket that was created and triaged, with nothing wrong."""
    return Facts(
        "tickets",
        outbox=[fact(EVENT, 1, CREATED), fact(EFFECT, 2, TRIAGED, cause=str(EVENT))],
        inbox=[("tickets-triage", EVENT)],
        versions={("ticket", TICKET): 2},
        histories=frozenset({"ticket"}),
        changes=[Change("ticket", TICKET, 1, "TicketCreated"), Change("ticket", TICKET, 2, "TicketTriaged")],
    )


def test_what_is_well_has_no_violation() -> None:
    found = checkers.everything(
        History([created(), updated()]), shown(), [facts()], {"tickets": {"tickets-triage": CREATED}}
    )

    assert len(found) == 9
    assert list(found.values()) == [[]] * 9


def test_acknowledged_thing_that_is_nowhere_is_lost() -> None:
    found = checkers.lost(History([created(target="", version=0)]), Readable())

    assert found == ["createTicket m1 was acknowledged and is nowhere"]


def test_acknowledged_thing_with_another_id_is_lost() -> None:
    found = checkers.lost(History([created()]), Readable({("ticket", "m1"): [Seen("t9", 1)]}, {"t1": 1}))

    assert found == ["createTicket m1 was acknowledged as t1 and is t9"]


def test_acknowledged_update_in_an_older_version_is_lost() -> None:
    found = checkers.lost(History([updated()]), shown(version=1))

    assert found == ["updateTicket m2 was acknowledged as version 2 of t1, now 1"]


def test_acknowledged_update_whose_version_holds_other_words_is_lost() -> None:
    found = checkers.lost(History([updated()]), shown(words="m3"))

    assert found == ["t1 has version 2 of updateTicket m2, but other words"]


def test_later_version_covers_an_acknowledged_update() -> None:
    assert checkers.lost(History([updated()]), shown(version=3, words="m3")) == []


def test_unknown_write_may_be_there_once_or_not_at_all_but_not_twice() -> None:
    unknown = History([created(outcome="info", attempts=3)])

    assert checkers.doubled(unknown, Readable()) == []
    assert checkers.doubled(unknown, shown()) == []
    assert checkers.doubled(unknown, shown(times=2)) == ["createTicket m1 (info, 3 attempts) is there 2 times"]


def test_refused_write_that_is_there_is_named() -> None:
    found = checkers.doubled(History([created(outcome="fail", code="FORBIDDEN")]), shown())

    assert found == ["createTicket m1 was refused with FORBIDDEN and is there"]


def test_two_answers_to_one_key_are_named() -> None:
    assert checkers.unequal_replies(History([created(replies=["a", "a"])])) == []
    assert checkers.unequal_replies(History([created(replies=["a", "b"])])) == [
        "createTicket m1 was answered ['a', 'b']"
    ]


def test_two_updates_of_one_version_are_named() -> None:
    found = checkers.lost_updates(History([updated(), updated(marker="m3")]))

    assert found == ["m2, m3 all succeeded on version 1 of t1"]


def test_update_that_skips_a_version_is_named() -> None:
    found = checkers.lost_updates(History([updated(version=3)]))

    assert found == ["updateTicket m2 expected version 1 and made 3"]


def test_event_twice_in_an_inbox_is_named() -> None:
    twice = facts()
    twice.inbox *= 2

    assert checkers.effects(twice) == [f"tickets-triage has event {EVENT} 2 times in its inbox"]


def test_event_with_two_effects_is_named() -> None:
    twice = facts()
    twice.outbox.append(fact(uuid4(), 3, TRIAGED, cause=str(EVENT)))

    assert checkers.effects(twice) == [f"tickets-triage handled event {EVENT}, which had 2 effects"]


def test_event_without_effect_is_named() -> None:
    none = facts()
    del none.outbox[1]

    assert checkers.effects(none) == [f"tickets-triage handled event {EVENT}, which had 0 effects"]


def test_effect_that_no_inbox_knows_is_named() -> None:
    unknown = facts()
    unknown.inbox = []

    assert checkers.effects(unknown) == [f"event {EVENT} had an effect, and no inbox knows of it"]


def test_change_without_fact_and_fact_without_change_are_named() -> None:
    apart = facts()
    apart.changes[1] = Change("ticket", TICKET, 3, "TicketUpdated")

    assert checkers.untold(apart) == [
        f"ticket {TICKET} changed to version 3 and told nobody",
        f"ticket {TICKET} told of version 2 and has no such change",
    ]


def test_changes_that_tell_nothing_need_no_fact() -> None:
    began = facts()
    began.changes.append(Change("ticket", uuid4(), 4, "Genesis"))

    assert checkers.untold(began) == []


def test_fact_that_waits_is_named() -> None:
    late = facts()
    late.outbox[1] = fact(EFFECT, 2, TRIAGED, published=False, cause=str(EVENT))

    assert checkers.waiting(late) == [f"{TRIAGED} {EFFECT} waits in the outbox"]


def test_gap_between_versions_is_named() -> None:
    gap = facts()
    gap.outbox[1] = fact(EFFECT, 3, TRIAGED, cause=str(EVENT))

    assert checkers.gaps(gap) == [
        f"ticket {TICKET} told of versions [1, 3]",
        f"ticket {TICKET} has version 2 and told of 3",
    ]


def test_row_that_told_nothing_is_named() -> None:
    silent = facts()
    silent.versions["ticket", TICKET] = 2
    silent.outbox = []

    assert checkers.gaps(silent) == [f"ticket {TICKET} has a row and told nothing"]


def test_published_event_that_no_inbox_and_no_dead_letter_holds_is_named() -> None:
    nowhere, buried = facts(), facts()
    nowhere.inbox = []
    buried.inbox, buried.dead = [], [("tickets-triage", EVENT)]
    subscriptions = {"tickets-triage": CREATED}

    assert checkers.vanished([nowhere], nowhere, subscriptions) == [
        f"event {EVENT} of {CREATED} never reached tickets-triage"
    ]
    assert checkers.vanished([buried], buried, subscriptions) == []
