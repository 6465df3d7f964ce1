"""Histories and conflicts through the graph, in front of services that answer as the test says."""

import json
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from aiops.common.v1.page_pb2 import PageInfo
from aiops.history.v1 import history_service_pb2 as history
from aiops.tickets.v1 import ticket_pb2, tickets_service_pb2
from chassis.errors import HistoryNotFound, Unavailable, VersionConflict
from gateway.testing.answers import a_ticket, an_id, by, users
from gateway.testing.stack import Script

TICKET = an_id(21)
REPLAY = """
query R($target: ReplayTarget!, $after: String, $version: Int!) {
  replayChanges(target: $target) {
    version
    target { __typename ... on Ticket { id title } }
    changes(first: 2, after: $after) {
      nodes {
        version changedAt changedBy { displayName } changedByActor { kind id } event reason hash traceId
        operations { op path from value previous }
      }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
    state(asOf: {version: $version}) { version changedAt document }
    difference(fromVersion: 1, toVersion: 2) { op path value previous }
  }
}
"""
UPDATE = """
mutation U($input: UpdateTicketInput!) {
  updateTicket(input: $input) {
    __typename
    ... on VersionConflict {
      code expected actual
      current { __typename ... on Ticket { id version title } }
      changesSince { version event changedBy { id } operations { path value } }
    }
  }
}
"""
STALE = {"ticketId": TICKET, "expectedVersion": 3, "title": "mine"}


def a_change(version: int) -> history.Change:
    steps = [history.Operation(op="replace", path="/title", value_json='"new"', previous_json='"old"')]
    return history.Change(
        version=version,
        time=Timestamp(seconds=1_780_000_000 + version),
        actor=by(an_id(1)),
        event="TicketUpdated",
        reason="UpdateTicket: typo",
        operations=[*steps, history.Operation(op="remove", path="/team", previous_json='"ops"')],
        hash=bytes([version] * 32),
        trace_id="ab" * 16,
    )


def tickets_of(script: Script, *tickets: ticket_pb2.Ticket) -> None:
    script.tickets.answers["BatchGetTickets"] = tickets_service_pb2.BatchGetTicketsResponse(tickets=tickets)


def scripted(script: Script) -> None:
    script.auth.answers["BatchGetUsers"] = users
    tickets_of(script, a_ticket(TICKET, version=4))
    script.tickets.answers["ListChanges"] = history.ListChangesResponse(
        changes=[a_change(2), a_change(3)], page_info=PageInfo(has_next_page=True, end_cursor="3")
    )
    script.tickets.answers["GetState"] = history.GetStateResponse(
        state_json=json.dumps({"title": "old", "reporter": {"erased": True}}), version=1, time=Timestamp(seconds=1)
    )
    script.tickets.answers["CompareVersions"] = history.CompareVersionsResponse(operations=a_change(2).operations)


def asked(script: Script, kind: type[Any]) -> Any:
    (request,) = [each for each in script.tickets.requests if isinstance(each, kind)]
    return request


async def test_history_is_told_by_the_service_that_owns_the_kind(script: Script) -> None:
    scripted(script)

    variables = {"target": {"ticketId": TICKET}, "after": "1", "version": 1}
    replay = (await script.gateway.data(REPLAY, variables, token=script.token()))["replayChanges"]

    steps = [
        {"op": "replace", "path": "/title", "from": None, "value": "new", "previous": "old"},
        {"op": "remove", "path": "/team", "from": None, "value": None, "previous": "ops"},
    ]
    assert replay["target"] == {"__typename": "Ticket", "id": TICKET, "title": "checkout is slow"}
    assert replay["version"] == 4
    assert replay["changes"]["nodes"][0] == {
        "version": 2,
        "changedAt": "2026-05-28T20:26:42Z",
        "changedBy": {"displayName": "Ada"},
        "changedByActor": {"kind": "USER", "id": an_id(1)},
        "event": "TicketUpdated",
        "reason": "UpdateTicket: typo",
        "hash": "02" * 32,
        "traceId": "ab" * 16,
        "operations": steps,
    }
    assert replay["changes"]["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": True,
        "startCursor": "2",
        "endCursor": "3",
    }
    assert replay["state"] == {
        "version": 1,
        "changedAt": "1970-01-01T00:00:01Z",
        "document": {"title": "old", "reporter": {"erased": True}},
    }
    assert [step["path"] for step in replay["difference"]] == ["/title", "/team"]
    page = asked(script, history.ListChangesRequest)
    assert (page.kind, page.id, page.page.first, page.page.after) == ("ticket", TICKET, 2, "1")
    compared = asked(script, history.CompareVersionsRequest)
    assert (compared.from_version, compared.to_version) == (1, 2)


async def test_state_as_of_a_time_asks_for_the_time(script: Script) -> None:
    scripted(script)
    document = """
    query($id: ID!) {
      replayChanges(target: {ticketId: $id}) { state(asOf: {time: "2026-01-31T12:00:00Z"}) { version } }
    }
    """

    await script.gateway.data(document, {"id": TICKET}, token=script.token())

    request = asked(script, history.GetStateRequest)
    assert (request.WhichOneof("moment"), request.time.ToJsonString()) == ("time", "2026-01-31T12:00:00Z")


@pytest.mark.parametrize("target", [{}, {"ticketId": TICKET, "logId": TICKET}, {"ticketId": None}])
async def test_target_is_exactly_one_thing(script: Script, target: dict[str, Any]) -> None:
    scripted(script)

    body = await script.gateway.ask(REPLAY, {"target": target, "version": 1}, token=script.token())

    assert "data" not in body or body["data"] is None
    assert script.tickets.calls == {}


async def test_hidden_thing_and_one_that_never_was_are_answered_alike_and_no_history_is_read(script: Script) -> None:
    scripted(script)
    tickets_of(script)
    answers = []

    for id_ in (TICKET, an_id(99), ""):
        body = await script.gateway.ask(REPLAY, {"target": {"ticketId": id_}, "version": 1}, token=script.token())
        (error,) = body["errors"]
        del error["extensions"]["traceId"]
        answers.append((body["data"], error))

    assert answers[0] == answers[1] == answers[2]
    assert (answers[0][0], answers[0][1]["extensions"]["code"]) == ({"replayChanges": None}, "HISTORY_NOT_FOUND")
    assert set(script.tickets.calls) == {"BatchGetTickets"}


async def test_part_of_a_history_that_cannot_be_had_leaves_the_rest(script: Script) -> None:
    scripted(script)
    script.tickets.answers["ListChanges"] = Unavailable(dependency="postgres")
    script.tickets.answers["GetState"] = HistoryNotFound("no such version", field="version")

    variables = {"target": {"ticketId": TICKET}, "version": 99}
    body = await script.gateway.ask(REPLAY, variables, token=script.token())

    replay = body["data"]["replayChanges"]
    assert (replay["version"], replay["changes"], replay["state"]) == (4, None, None)
    assert len(replay["difference"]) == 2
    assert {error["path"][-1]: error["extensions"]["code"] for error in body["errors"]} == {
        "changes": "UNAVAILABLE",
        "state": "HISTORY_NOT_FOUND",
    }


async def test_conflict_tells_what_the_thing_is_now_and_what_happened_since(script: Script) -> None:
    scripted(script)
    script.tickets.answers["UpdateTicket"] = VersionConflict(expected=3, actual=4, kind="ticket", id=TICKET)

    result = (await script.gateway.data(UPDATE, {"input": STALE}, token=script.token()))["updateTicket"]

    assert (result["__typename"], result["code"]) == ("VersionConflict", "VERSION_CONFLICT")
    assert (result["expected"], result["actual"]) == (3, 4)
    assert result["current"] == {"__typename": "Ticket", "id": TICKET, "version": 4, "title": "checkout is slow"}
    assert [change["version"] for change in result["changesSince"]] == [2, 3]
    assert result["changesSince"][0]["changedBy"] == {"id": an_id(1)}
    page = asked(script, history.ListChangesRequest)
    assert (page.kind, page.id, page.page.first, page.page.after) == ("ticket", TICKET, 50, "3")


@pytest.mark.parametrize(
    ("conflict", "calls"),
    [
        (VersionConflict(expected=3, actual=4, kind="ticket", id=TICKET), {"BatchGetTickets", "ListChanges"}),
        (VersionConflict(expected=3, actual=4, kind="ticket_option", id=TICKET), set()),
        (VersionConflict(expected=3, actual=4), set()),
    ],
    ids=["hidden", "without history", "nameless"],
)
async def test_conflict_about_what_the_caller_cannot_read_tells_versions_alone(
    script: Script, conflict: VersionConflict, calls: set[str]
) -> None:
    scripted(script)
    tickets_of(script)
    script.tickets.answers["ListChanges"] = HistoryNotFound("not for you")
    script.tickets.answers["UpdateTicket"] = conflict

    result = (await script.gateway.data(UPDATE, {"input": STALE}, token=script.token()))["updateTicket"]

    assert (result["current"], result["changesSince"]) == (None, None)
    assert (result["expected"], result["actual"]) == (3, 4)
    assert set(script.tickets.calls) == {"UpdateTicket", *calls}


async def test_second_conflict_of_a_document_reads_the_thing_anew(script: Script) -> None:
    scripted(script)
    script.tickets.answers["UpdateTicket"] = VersionConflict(expected=3, actual=4, kind="ticket", id=TICKET)
    versions = iter((4, 5))

    def next_version(_request: Any) -> tickets_service_pb2.BatchGetTicketsResponse:
        return tickets_service_pb2.BatchGetTicketsResponse(tickets=[a_ticket(TICKET, version=next(versions))])

    script.tickets.answers["BatchGetTickets"] = next_version
    document = """
    mutation U($input: UpdateTicketInput!) {
      a: updateTicket(input: $input) { ...C }
      b: updateTicket(input: $input) { ...C }
    }
    fragment C on VersionConflict { current { ... on Ticket { version } } }
    """

    data = await script.gateway.data(document, {"input": STALE}, token=script.token())

    assert data == {"a": {"current": {"version": 4}}, "b": {"current": {"version": 5}}}
