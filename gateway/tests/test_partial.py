"""What stands when a part fails: one key, the edges of a mutation, an item of a subscription, one entity."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from aiops.tickets.v1 import ticket_pb2, tickets_service_pb2
from chassis.errors import Internal, InvalidArgument, NotFound, Unavailable
from gateway.testing.answers import a_ticket, an_id, logs, refusing, users
from gateway.testing.harness import Watcher
from gateway.testing.stack import Script


class LogNotFound(NotFound):
    reason = "LOG_NOT_FOUND"


def where(body: dict[str, Any]) -> dict[str, str]:
    return {".".join(map(str, error["path"])): error["extensions"]["code"] for error in body.get("errors", ())}


@pytest.mark.parametrize("error", [Internal(), InvalidArgument("no such", field="ids")], ids=lambda error: error.reason)
async def test_key_that_breaks_a_batch_fails_alone(full: Script, error: Internal) -> None:
    tickets = [a_ticket(an_id(100 + number), assignee_id=an_id(200 + number)) for number in range(20)]
    full.tickets.answers["ListTickets"] = tickets_service_pb2.ListTicketsResponse(tickets=tickets, cursors=["c"] * 20)
    full.auth.answers["BatchGetUsers"] = refusing(users, [an_id(213)], error)

    body = await full.gateway.ask("{ tickets { nodes { assignee { id } } } }", token=full.token())

    assert where(body) == {"tickets.nodes.13.assignee": error.reason}
    assert [node["assignee"] for node in body["data"]["tickets"]["nodes"]] == [
        None if number == 13 else {"id": an_id(200 + number)} for number in range(20)
    ]
    assert full.auth.calls["BatchGetUsers"] == 1 + 2 * 5


async def test_answer_that_is_too_large_for_one_message_comes_in_halves(full: Script) -> None:
    tickets = [a_ticket(an_id(100 + number)) for number in range(20)]
    full.tickets.answers["ListTickets"] = tickets_service_pb2.ListTicketsResponse(tickets=tickets, cursors=["c"] * 20)

    def much(request: Any) -> tickets_service_pb2.BatchListTicketCommentsResponse:
        comment = ticket_pb2.Comment(id=an_id(1), body="x" * 1_000_000)
        items = [tickets_service_pb2.TicketComments(ticket_id=id_, comments=[comment]) for id_ in request.ticket_ids]
        return tickets_service_pb2.BatchListTicketCommentsResponse(tickets=items)

    full.tickets.answers["BatchListTicketComments"] = much

    data = await full.gateway.data("{ tickets { nodes { comments { nodes { id } } } } }", token=full.token())

    assert data["tickets"]["nodes"] == [{"comments": {"nodes": [{"id": an_id(1)}]}}] * 20
    assert full.tickets.calls["BatchListTicketComments"] == 1 + 2


async def test_broken_rpc_is_given_up_and_logged_for_each_call_that_was_left_not_for_each_field(
    full: Script, caplog: pytest.LogCaptureFixture
) -> None:
    tickets = [a_ticket(an_id(100 + number), assignee_id=an_id(200 + number)) for number in range(80)]
    full.tickets.answers["ListTickets"] = tickets_service_pb2.ListTicketsResponse(tickets=tickets, cursors=["c"] * 80)
    full.auth.answers["BatchGetUsers"] = Internal()

    with caplog.at_level(logging.ERROR, "gateway"):
        body = await full.gateway.ask("{ tickets(first: 80) { nodes { assignee { id } } } }", token=full.token())

    assert where(body) == {f"tickets.nodes.{place}.assignee": "INTERNAL" for place in range(80)}
    assert full.auth.calls["BatchGetUsers"] == 1 + 2 + 4 + 8
    assert len([record for record in caplog.records if record.name == "gateway.masking"]) == 8


async def test_log_that_breaks_a_batch_is_a_null_among_the_logs_of_its_ticket(full: Script) -> None:
    full.tickets.answers["BatchGetTickets"] = tickets_service_pb2.BatchGetTicketsResponse(
        tickets=[a_ticket(an_id(21), log_ids=[an_id(1), an_id(2), an_id(3)])]
    )
    full.logs.answers["BatchGetLogs"] = refusing(logs, [an_id(2)], Internal())

    body = await full.gateway.ask(f'{{ ticket(id: "{an_id(21)}") {{ logs {{ id }} }} }}', token=full.token())

    assert body["data"]["ticket"]["logs"] == [{"id": an_id(1)}, None, {"id": an_id(3)}]
    assert where(body) == {"ticket.logs.1": "INTERNAL"}


async def test_log_that_the_caller_may_not_see_is_left_out(full: Script) -> None:
    full.tickets.answers["BatchGetTickets"] = tickets_service_pb2.BatchGetTicketsResponse(
        tickets=[a_ticket(an_id(21), log_ids=[an_id(1), an_id(2)])]
    )
    full.logs.answers["BatchGetLogs"] = lambda _request: logs(type(_request)(ids=[an_id(2)]))

    data = await full.gateway.data(f'{{ ticket(id: "{an_id(21)}") {{ logs {{ id }} }} }}', token=full.token())

    assert data == {"ticket": {"logs": [{"id": an_id(2)}]}}


async def test_mutation_reports_its_effect_without_its_edges(full: Script) -> None:
    full.tickets.answers["CreateTicket"] = tickets_service_pb2.CreateTicketResponse(ticket=a_ticket(an_id(21)))
    await full.auth.stop()
    full.changelog.answers["BatchListChangesBefore"] = Unavailable(dependency="postgres")
    document = """mutation M($input: CreateTicketInput!) { createTicket(input: $input) {
      ... on CreateTicketSuccess { ticket { id assignee { id } changesBefore { truncated } logs { id } } }
    } }"""

    body = await full.gateway.ask(document, {"input": {"title": "slow", "message": ""}}, token=full.token())

    assert body["data"]["createTicket"]["ticket"] == {
        "id": an_id(21),
        "assignee": None,
        "changesBefore": None,
        "logs": [{"id": an_id(1)}],
    }
    assert where(body) == {
        "createTicket.ticket.assignee": "UNAVAILABLE",
        "createTicket.ticket.changesBefore": "UNAVAILABLE",
    }
    assert full.tickets.calls == {"CreateTicket": 1}


async def test_refusal_of_a_write_names_the_field_of_the_input(full: Script) -> None:
    full.tickets.answers["CreateTicket"] = LogNotFound("no such log", field="log_ids.0")
    full.changelog.answers["RecordDeployment"] = InvalidArgument("too long", field="version_name")
    full.changelog.answers["PushCommits"] = InvalidArgument("too long", field="commits.3.message")
    full.tickets.answers["SaveTicketOption"] = InvalidArgument("not a key", field="option.key")
    token = full.token()

    ticket = await full.gateway.mutate("createTicket", "ticket { id }", token=token, title="a", message="")
    deployment = await full.gateway.mutate(
        "recordDeployment", "deployment { id }", token=token, service="a", version="b" * 201
    )
    commits = await full.gateway.mutate("pushCommits", "newCommitCount", token=token, repository="a", commits=[])
    option = await full.gateway.mutate(
        "saveTicketOption",
        "option { key }",
        token=token,
        kind="TEAM",
        key="A B",
        name="a",
        description="",
        position=1,
    )

    assert [(result["__typename"], result["fields"]) for result in (ticket, deployment, commits, option)] == [
        ("NotFoundError", [{"path": "logIds.0", "message": "no such log"}]),
        ("ValidationError", [{"path": "version", "message": "too long"}]),
        ("ValidationError", [{"path": "commits.3.message", "message": "too long"}]),
        ("ValidationError", [{"path": "key", "message": "not a key"}]),
    ]


@pytest.mark.parametrize(
    "given", [{}, {"commits": [{"sha": "a" * 7, "message": "fix: a"}], "range": {"toRef": "v1"}}], ids=["none", "both"]
)
async def test_changelog_of_commits_and_a_range_or_of_neither_is_refused(script: Script, given: dict[str, Any]) -> None:
    result = await script.gateway.mutate(
        "generateChangelog", "changelog { id }", token=script.token(), repository="shop", **given
    )

    assert (result["__typename"], result["fields"]) == (
        "ValidationError",
        [{"path": "commits", "message": "give either commits or range"}],
    )
    assert script.gateway.rpcs() == {}


async def test_subscription_tells_what_it_has_and_outlives_an_outage(
    full: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.graph.updates.RETRY_SECONDS", 0.05)
    query = "subscription($id: ID!) { ticketUpdates(ticketId: $id) { version assignee { id } logs { id } } }"
    feed = full.gateway.gateway.change_feed

    def ticket(version: int) -> tickets_service_pb2.BatchGetTicketsResponse:
        return tickets_service_pb2.BatchGetTicketsResponse(tickets=[a_ticket(an_id(21), version=version)])

    async with Watcher.connected(full.gateway, full.token()) as watcher:
        await watcher.receive()
        full.tickets.answers["BatchGetTickets"] = ticket(1)
        await watcher.subscribe(query, id=an_id(21))
        whole = await watcher.next()

        full.auth.answers["BatchGetUsers"] = Unavailable(dependency="postgres")
        full.tickets.answers["BatchGetTickets"] = ticket(2)
        await feed.look_again()
        partial = await watcher.next()

        full.tickets.answers["BatchGetTickets"] = Unavailable(dependency="postgres")
        await feed.look_again()
        asked = full.tickets.calls["BatchGetTickets"]
        await until(lambda: full.tickets.calls["BatchGetTickets"] > asked + 2)
        full.auth.answers["BatchGetUsers"] = users
        full.tickets.answers["BatchGetTickets"] = ticket(3)
        whole_again = await watcher.next()

    assert "errors" not in whole
    assert whole["data"]["ticketUpdates"] == {"version": 1, "assignee": {"id": an_id(1)}, "logs": [{"id": an_id(1)}]}
    assert where(partial) == {"ticketUpdates.assignee": "UNAVAILABLE"}
    assert partial["data"]["ticketUpdates"] == {"version": 2, "assignee": None, "logs": [{"id": an_id(1)}]}
    assert "errors" not in whole_again
    assert whole_again["data"]["ticketUpdates"]["version"] == 3


async def test_subscription_ends_when_the_viewer_may_not_see_the_ticket_any_more(full: Script) -> None:
    async with Watcher.connected(full.gateway, full.token()) as watcher:
        await watcher.receive()
        await watcher.subscribe("subscription($id: ID!) { ticketUpdates(ticketId: $id) { id } }", id=an_id(21))
        await watcher.next()

        full.tickets.answers["BatchGetTickets"] = tickets_service_pb2.BatchGetTicketsResponse()
        await full.gateway.gateway.change_feed.look_again()
        last = await watcher.next()

    assert [error["extensions"]["code"] for error in last["errors"]] == ["TICKET_NOT_FOUND"]


async def test_entities_of_all_services_fail_one_by_one(full: Script) -> None:
    await full.auth.stop()
    full.tickets.answers["BatchGetTickets"] = refusing(
        lambda request: tickets_service_pb2.BatchGetTicketsResponse(tickets=[a_ticket(id_) for id_ in request.ids]),
        [an_id(22)],
        Internal(),
    )
    names = ["Ticket", "Ticket", "Changelog", "Repository", "User", "Run", "Log", "Nonsense"]
    representations = [{"__typename": name, "id": an_id(21 + place)} for place, name in enumerate(names)]
    query = (
        "query E($r: [_Any!]!) { _entities(representations: $r) { __typename ... on Ticket { id createdBy { id } } } }"
    )

    body = await full.gateway.ask(query, {"r": representations}, token=full.token())

    assert body["data"]["_entities"] == [
        {"__typename": "Ticket", "id": an_id(21), "createdBy": None},
        None,
        {"__typename": "Changelog"},
        {"__typename": "Repository"},
        None,
        {"__typename": "Run"},
        {"__typename": "Log"},
        None,
    ]
    assert where(body) == {
        "_entities.0.createdBy": "UNAVAILABLE",
        "_entities.1": "INTERNAL",
        "_entities.4": "UNAVAILABLE",
        "_entities.7": "INVALID_ARGUMENT",
    }


async def test_number_that_a_newer_service_knows_is_null_and_takes_nothing_along(full: Script) -> None:
    newer = a_ticket(an_id(21), status=99, audience=99, triage_state=99, category_source=99)
    newer.triage.category.reasons.append(ticket_pb2.TriageReason(field=99, quote="slow"))  # type: ignore[arg-type]
    newer.created_by.kind = 99  # type: ignore[assignment]
    full.tickets.answers["ListTickets"] = tickets_service_pb2.ListTicketsResponse(
        tickets=[newer, a_ticket(an_id(22))], cursors=["a", "b"]
    )
    query = """{ tickets { nodes { id status audience triageState categorySource createdByActor { kind }
      createdBy { id } triage { category { reasons { field quote } } } } } }"""

    data = await full.gateway.data(query, token=full.token())

    first, second = data["tickets"]["nodes"]
    assert first == {
        "id": an_id(21),
        "status": None,
        "audience": None,
        "triageState": None,
        "categorySource": None,
        "createdByActor": {"kind": "SERVICE"},
        "createdBy": None,
        "triage": {"category": {"reasons": [{"field": None, "quote": "slow"}]}},
    }
    assert (second["status"], second["createdByActor"]) == ("OPEN", {"kind": "USER"})


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while True:
            if true():
                return
            await asyncio.sleep(0.02)
