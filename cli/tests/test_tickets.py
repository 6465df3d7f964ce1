import json
from typing import Any

import pytest
from cli.tests.conftest import Gateway
from typer.testing import CliRunner

from aiops_cli import tickets
from aiops_cli.app import app
from aiops_cli.failure import ExitCode, Failure

ID = "0198c0de-0000-7000-8000-000000000001"
USER = "0198c0de-0000-7000-8000-000000000007"
ROW: dict[str, Any] = {
    "id": ID,
    "version": 4,
    "title": "Checkout answers 502 \x1b[2J",
    "status": "OPEN",
    "triageState": "TRIAGED",
    "category": "incident",
    "priority": "urgent",
    "team": None,
    "service": "checkout",
    "audience": "GENERAL",
    "peopleSuspected": False,
    "createdAt": "2026-11-20T10:00:00Z",
    "assignee": None,
}
UNCERTAIN: dict[str, Any] = {"value": None, "confidence": 0.31, "uncertain": True, "reasons": []}
WHOLE: dict[str, Any] = {
    **ROW,
    "description": "since 10:05, every order",
    "source": "cli",
    "externalReference": None,
    "updatedAt": "2026-11-20T10:00:02Z",
    "triageFailure": None,
    "categorySource": "TRIAGE",
    "prioritySource": "PERSON",
    "teamSource": None,
    "commentCount": 0,
    "reporter": {"externalName": "Ann", "externalEmail": "ann@example.com", "user": None},
    "createdByActor": {"kind": "USER", "id": ID},
    "triage": {
        "id": ID,
        "engine": "BUILTIN",
        "model": None,
        "fallbackReason": None,
        "kept": ["priority"],
        "createdAt": "2026-11-20T10:00:02Z",
        "ticketVersion": 1,
        "category": {
            "value": "incident",
            "confidence": 0.714,
            "uncertain": False,
            "reasons": [
                {"field": "TITLE", "start": 17, "end": 20, "quote": "502", "explanation": "speaks for an outage"}
            ],
        },
        "priority": {"value": "high", "confidence": 0.6, "uncertain": False, "reasons": []},
        "team": UNCERTAIN,
        "peopleSuspected": False,
        "peopleReasons": [],
    },
}


@pytest.fixture(autouse=True)
def machine(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIOPS_TOKEN", "aiops_token")
    monkeypatch.setenv("AIOPS_URL", gateway.url)
    monkeypatch.setattr(tickets, "POLL_SECONDS", 0.0)


def answer(**data: object) -> tuple[int, dict[str, Any]]:
    return 200, {"data": data}


def variables(gateway: Gateway, asked: int = -1) -> dict[str, Any]:
    sent: dict[str, Any] = json.loads(gateway.asked[asked][2])["variables"]
    return sent


def test_create_waits_and_prints_each_answer_with_the_words_behind_it(runner: CliRunner, gateway: Gateway) -> None:
    gateway.answers = [
        answer(createTicket={"__typename": "CreateTicketSuccess", "ticket": ROW}),
        answer(ticket={**WHOLE, "triageState": "PENDING", "triage": None}),
        answer(ticket=WHOLE),
    ]

    done = runner.invoke(
        app,
        ["tickets", "create", "Checkout answers 502", "-m", "-", "--service", "checkout", "--people", "--wait"],
        input="since 10:05,\nevery order\n",
    )

    assert done.exit_code == 0, done.output
    sent = variables(gateway, 0)["input"]
    assert len(sent.pop("idempotencyKey")) == 36
    assert sent == {
        "title": "Checkout answers 502",
        "description": "since 10:05,\nevery order\n",
        "source": "cli",
        "service": "checkout",
        "audience": "PEOPLE",
    }
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    for line in (
        f"Checkout answers 502 \ufffd[2J {ID}",
        "reporter Ann ann@example.com",
        f"assignee nobody; take it: aiops tickets assign {ID} me",
        "category incident 71% sure",
        '└ title "502" speaks for an outage',
        "priority urgent set by a person, triage says high",
        "team uncertain",
        f"decide: aiops tickets update {ID} --team KEY",
    ):
        assert line in lines


def test_a_failed_triage_is_told_with_what_to_do(runner: CliRunner, gateway: Gateway) -> None:
    failed = {**WHOLE, "triageState": "FAILED", "triageFailure": "The ai service was away.", "triage": None}
    gateway.answers = [
        answer(createTicket={"__typename": "CreateTicketSuccess", "ticket": ROW}),
        answer(ticket=failed),
    ]

    done = runner.invoke(app, ["tickets", "create", "a", "--wait"])

    assert isinstance(done.exception, Failure)
    assert done.exception.code == 5
    assert done.exception.message == (f"Triage failed: The ai service was away. Try again: aiops tickets retriage {ID}")


def test_list_sends_its_filters_and_says_where_it_goes_on(runner: CliRunner, gateway: Gateway) -> None:
    page = {"edges": [{"node": ROW}], "pageInfo": {"hasNextPage": True, "endCursor": "c1"}}
    gateway.answers = [answer(me={"id": "u1"}), answer(tickets=page)]

    done = runner.invoke(
        app,
        [
            *("tickets", "list", "--status", "Open", "--status", "in-progress", "--category", "bug", "--team", "web"),
            *("--assignee", "me", "--text", "502", "--people", "--suspected", "--first", "1", "--priority", "high"),
        ],
    )

    assert done.exit_code == 0, done.output
    assert variables(gateway) == {
        "filter": {
            "statuses": ["OPEN", "IN_PROGRESS"],
            "categories": ["bug"],
            "priorities": ["high"],
            "teams": ["web"],
            "assigneeId": "u1",
            "text": "502",
            "audience": "PEOPLE",
            "peopleSuspected": True,
        },
        "first": 1,
        "after": None,
    }
    assert ID in done.stdout
    assert "\x1b" not in done.stdout
    assert done.stdout.splitlines()[-1] == "There are more: add --after c1"


def test_a_list_stays_readable_while_a_service_is_away(runner: CliRunner, gateway: Gateway) -> None:
    page = {"edges": [{"node": ROW}], "pageInfo": {"hasNextPage": False, "endCursor": "c1"}}
    error = {"message": "auth is away", "path": ["tickets", "edges", 0, "node", "assignee"]}
    gateway.answers = [(200, {"data": {"tickets": page}, "errors": [error]})]

    done = runner.invoke(app, ["tickets", "list"])

    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[-1] == "tickets.edges.0.node.assignee is missing: auth is away"


def test_a_query_with_nothing_but_errors_is_a_failure(runner: CliRunner, gateway: Gateway) -> None:
    error = {"message": "tickets is away", "path": ["tickets"], "extensions": {"code": "UNAVAILABLE"}}
    gateway.answers = [(200, {"data": {"tickets": None}, "errors": [error]})]

    done = runner.invoke(app, ["tickets", "list"])

    assert isinstance(done.exception, Failure)
    assert (done.exception.code, done.exception.reason) == (ExitCode.UNREACHABLE, "UNAVAILABLE")


@pytest.mark.parametrize(
    ("arguments", "mutation", "sent", "told"),
    [
        (
            ["comment", ID, "looking", "--internal"],
            "addTicketComment",
            {"body": "looking", "internal": True},
            "Commented",
        ),
        (["assign", ID, "nobody"], "assignTicket", {"assigneeId": None}, "Assigned to nobody"),
        (["assign", ID, USER], "assignTicket", {"assigneeId": USER}, f"Assigned to {USER}"),
        (["status", ID, "In-Progress"], "updateTicketStatus", {"status": "IN_PROGRESS"}, "Now in-progress"),
        (
            ["update", ID, "--team", "web", "--service", ""],
            "updateTicket",
            {"team": "web", "service": ""},
            "Changed team, service",
        ),
        (["audience", ID, "people"], "updateTicketAudience", {"audience": "PEOPLE"}, "Audience is people"),
        (["link", ID, "l1", "l2"], "linkTicketLogs", {"logIds": ["l1", "l2"]}, "Linked 2 logs"),
        (["unlink", ID, "l1"], "unlinkTicketLogs", {"logIds": ["l1"]}, "Unlinked 1 log"),
        (["retriage", ID], "retriageTicket", {}, "Waits for triage"),
    ],
)
def test_a_change_carries_the_version_that_was_read(
    runner: CliRunner, gateway: Gateway, arguments: list[str], mutation: str, sent: dict[str, Any], told: str
) -> None:
    title = mutation[0].upper() + mutation[1:]
    changed = {"__typename": f"{title}Success", "ticket": {**ROW, "version": 4}}
    gateway.answers = [answer(ticket={"version": 3}), answer(**{mutation: changed})]

    done = runner.invoke(app, ["tickets", *arguments])

    assert done.exit_code == 0, done.output
    values = variables(gateway)["input"]
    assert len(values.pop("idempotencyKey")) == 36
    assert values == {"ticketId": ID, "expectedVersion": 3, **sent}
    assert done.stdout == (f"{told}: Checkout answers 502 \ufffd[2J (version 4). Next: aiops tickets show {ID}\n")


def test_what_somebody_changed_meanwhile_is_not_overwritten(runner: CliRunner, gateway: Gateway) -> None:
    conflict = {"__typename": "VersionConflict", "code": "VERSION_CONFLICT", "message": "the version is 5 now"}
    gateway.answers = [answer(ticket={"version": 3}), answer(assignTicket=conflict)]

    done = runner.invoke(app, ["tickets", "assign", ID, "nobody"])

    assert isinstance(done.exception, Failure)
    assert done.exception.code == ExitCode.REFUSED
    assert done.exception.message == (f"the version is 5 now. See: aiops tickets show {ID}")
    assert len(gateway.asked) == 2


def test_an_unknown_ticket_and_an_empty_update_say_what_to_do(runner: CliRunner, gateway: Gateway) -> None:
    gateway.answers = [answer(ticket=None), answer(ticket=None)]

    shown = runner.invoke(app, ["tickets", "show", ID]).exception
    assigned = runner.invoke(app, ["tickets", "assign", ID, "nobody"]).exception
    empty = runner.invoke(app, ["tickets", "update", ID]).exception

    for failure in (shown, assigned):
        assert isinstance(failure, Failure)
        assert failure.message == f"There is no ticket {ID}, or you may not see it. See: aiops tickets list"
    assert isinstance(empty, Failure)
    assert empty.code == ExitCode.USAGE
    assert "aiops tickets options" in empty.message


def test_a_ticket_that_its_reader_loses_is_told(runner: CliRunner, gateway: Gateway) -> None:
    gone = {"__typename": "UpdateTicketAudienceSuccess", "ticket": None}
    gateway.answers = [answer(ticket={"version": 3}), answer(updateTicketAudience=gone)]

    done = runner.invoke(app, ["tickets", "audience", ID, "people"])

    assert done.stdout == "Audience is people. You may not see the ticket any more.\n"


def test_options_say_when_each_fits_and_leave_archived_ones_out(runner: CliRunner, gateway: Gateway) -> None:
    option = {"kind": "CATEGORY", "key": "bug", "name": "Bug", "description": "It does not work", "position": 1}
    found = [
        {**option, "audience": "GENERAL", "archived": False, "version": 1},
        {**option, "key": "old", "audience": "GENERAL", "archived": True, "version": 1},
        {**option, "key": "pay", "description": "Pay", "audience": "PEOPLE", "archived": False, "version": 1},
    ]
    gateway.answers = [answer(ticketOptions=found)]

    done = runner.invoke(app, ["tickets", "options"])

    assert [" ".join(line.split()) for line in done.stdout.splitlines()] == [
        "Category",
        "bug It does not work",
        "pay Pay hr only",
    ]


def test_a_text_of_no_encoding_is_refused_before_it_is_sent(runner: CliRunner, gateway: Gateway) -> None:
    done = runner.invoke(app, ["tickets", "create", "half a pair \udcff"])

    assert isinstance(done.exception, Failure)
    assert done.exception.message == "The text holds bytes that are no UTF-8. Save it as UTF-8."
    assert gateway.asked == []


def test_a_name_in_place_of_a_user_id_is_refused_with_what_to_write(runner: CliRunner, gateway: Gateway) -> None:
    done = runner.invoke(app, ["tickets", "assign", ID, "bob"])

    assert isinstance(done.exception, Failure)
    assert done.exception.code == ExitCode.USAGE
    assert done.exception.message.startswith("bob is no user id. Write me, or an id")
    assert gateway.asked == []


def test_a_ticket_is_found_by_the_reference_that_another_one_may_not_have(runner: CliRunner, gateway: Gateway) -> None:
    taken = {"__typename": "ReferenceTakenError", "code": "TICKET_REFERENCE_TAKEN", "message": "R-1 exists already"}
    page = {"edges": [{"node": ROW}], "pageInfo": {"hasNextPage": False, "endCursor": "c1"}}
    gateway.answers = [answer(createTicket=taken), answer(tickets=page)]

    refused = runner.invoke(app, ["tickets", "create", "a", "--reference", "R-1"])
    runner.invoke(app, ["tickets", "list", "--source", "cli", "--reference", "R-1"])

    assert isinstance(refused.exception, Failure)
    assert refused.exception.message == (
        "R-1 exists already. See: aiops tickets list --source SOURCE --reference REFERENCE"
    )
    assert variables(gateway)["filter"] == {"source": "cli", "externalReference": "R-1"}


def test_people_who_cannot_be_read_are_not_told_as_nobody(runner: CliRunner, gateway: Gateway) -> None:
    unread = {**WHOLE, "assignee": None, "reporter": None}
    errors = [{"message": "auth is away", "path": ["ticket", name]} for name in ("assignee", "reporter")]
    gateway.answers = [(200, {"data": {"ticket": unread}, "errors": errors})]

    done = runner.invoke(app, ["tickets", "show", ID])

    lines = done.stdout.splitlines()
    assert [line for line in lines if line.startswith(("reporter", "assignee"))] == [
        "reporter  not known just now",
        "assignee  not known just now",
    ]
    assert "ticket.assignee is missing: auth is away" in lines
