"""Histories and conflicts on the real services, for three roles: whole for who sees all, masked for the others."""

import json
from typing import Any

import pytest

from gateway.testing.harness import RunningGateway
from gateway.testing.stack import Person, Stack

REPLAY = """
query R($target: ReplayTarget!) {
  replayChanges(target: $target) {
    version
    changes(first: 50) { nodes { version event changedBy { id } operations { op path value previous } } }
    state(asOf: {version: 1}) { version document }
    difference(fromVersion: 1, toVersion: 2) { path value previous }
  }
}
"""
CONFLICT = """
mutation U($input: UpdateTicketInput!) {
  updateTicket(input: $input) {
    __typename
    ... on UserError { code }
    ... on VersionConflict {
      expected actual
      current { ... on Ticket { version title reporter { externalName externalEmail } } }
      changesSince { version event operations { path value previous } }
    }
  }
}
"""
VERSION = "query($id: ID!) { ticket(id: $id) { version } }"
EMAIL = "tom@example.org"
TICKET = {"title": "Printer", "description": "broken", "reporter": {"externalName": "Tom", "externalEmail": EMAIL}}


async def people(stack: Stack, gateway: RunningGateway) -> dict[str, Person]:
    admin = await stack.admin(gateway)
    return {
        "admin": admin,
        "ops": await stack.join(gateway, admin, "ops@example.com", "OPS"),
        "hr": await stack.join(gateway, admin, "hr@example.com", "HR"),
    }


async def changed_twice(gateway: RunningGateway, token: str, **fields: Any) -> dict[str, Any]:
    """A ticket whose triage is over, and whose title somebody changed since; `read` is the version before that."""
    made = (await gateway.mutate("createTicket", "ticket { id }", token=token, **TICKET, **fields))["ticket"]
    for title in ("Printer is broken", "Printer is on fire"):
        while True:
            read = await gateway.data(
                "query($id: ID!) { ticket(id: $id) { version } }", {"id": made["id"]}, token=token
            )
            version = read["ticket"]["version"]
            given = {"ticketId": made["id"], "expectedVersion": version, "title": title}
            result = await gateway.mutate("updateTicket", "ticket { version }", token=token, **given)
            if result["__typename"] == "UpdateTicketSuccess":
                break
            # Triage came in between.
            assert result["__typename"] == "VersionConflict", result
    return {"id": made["id"], "read": version, "now": result["ticket"]["version"]}


async def test_conflicts_and_histories_of_tickets_show_each_role_what_it_sees_and_no_more(stack: Stack) -> None:
    async with stack.gateway() as gateway:
        who = await people(stack, gateway)
        general = await changed_twice(gateway, who["admin"].token)
        private = await changed_twice(gateway, who["admin"].token, audience="PEOPLE")
        seen: dict[tuple[str, str], Any] = {}

        for role, person in who.items():
            for name, ticket in (("general", general), ("private", private)):
                stale = {"ticketId": ticket["id"], "expectedVersion": ticket["read"], "title": "mine"}
                conflict = await gateway.ask(CONFLICT, {"input": stale}, token=person.token)
                replay = await gateway.ask(REPLAY, {"target": {"ticketId": ticket["id"]}}, token=person.token)
                seen[role, name] = (conflict["data"]["updateTicket"], replay)

        for role, name in (("admin", "general"), ("admin", "private"), ("ops", "general"), ("hr", "private")):
            ticket = general if name == "general" else private
            conflict, replay = seen[role, name]
            assert (conflict["expected"], conflict["actual"]) == (ticket["read"], ticket["now"]), (role, name)
            assert conflict["current"]["title"] == "Printer is on fire"
            (since,) = [each for each in conflict["changesSince"] if each["event"] == "TicketUpdated"]
            titles = {step["path"]: (step["previous"], step["value"]) for step in since["operations"]}
            assert titles["/title"] == ("Printer is broken", "Printer is on fire")
            history = replay["data"]["replayChanges"]
            assert [change["version"] for change in history["changes"]["nodes"]] == list(range(1, ticket["now"] + 1))
            assert history["state"]["document"]["title"] == "Printer"
            sees_email = role != "ops"
            assert (EMAIL in json.dumps(replay)) is sees_email, (role, name)
            assert conflict["current"]["reporter"]["externalEmail"] == (EMAIL if sees_email else None)
        for role, name in (("ops", "private"), ("hr", "general")):
            conflict, replay = seen[role, name]
            assert conflict == {"__typename": "NotFoundError", "code": "TICKET_NOT_FOUND"}
            assert (replay["data"], replay["errors"][0]["extensions"]["code"]) == (
                {"replayChanges": None},
                "HISTORY_NOT_FOUND",
            )
            assert "Printer" not in json.dumps(replay)


@pytest.mark.parametrize("kind", ["log", "changelog", "user"])
async def test_history_of_each_kind_replays_to_what_the_thing_is(stack: Stack, kind: str) -> None:
    async with stack.gateway() as gateway:
        who = await people(stack, gateway)
        admin = who["admin"]
        if kind == "log":
            made = await gateway.mutate("summarizeLog", "log { id }", token=admin.token, name="a", text="INFO up")
            id_ = made["log"]["id"]
        elif kind == "changelog":
            commits = [{"sha": "a" * 40, "message": "feat: pay"}]
            given = {"repository": "shop", "commits": commits, "previousVersion": "1.0.0"}
            made = await gateway.mutate("generateChangelog", "changelog { id }", token=admin.token, **given)
            id_ = made["changelog"]["id"]
        else:
            id_ = who["ops"].id
        document = """
        query($target: ReplayTarget!) {
          replayChanges(target: $target) {
            version
            changes { nodes { version event } }
            state(asOf: {version: 1}) { document }
          }
        }
        """

        replay = (await gateway.data(document, {"target": {f"{kind}Id": id_}}, token=admin.token))["replayChanges"]

        versions = [change["version"] for change in replay["changes"]["nodes"]]
        assert versions == list(range(1, len(versions) + 1))
        assert len(versions) >= replay["version"]
        assert replay["changes"]["nodes"][0]["event"] not in {"Genesis", "Resumed"}
        shown = json.dumps(replay["state"]["document"])
        assert "password" not in shown
        assert "hash" not in shown
