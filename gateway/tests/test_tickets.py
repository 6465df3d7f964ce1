"""Tickets and changelogs on the real services: journeys of people and machines, and what a full page costs."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, ExitStack
from typing import Any

from chassis.testing.plugin import QueryCounter
from gateway.testing.harness import RunningGateway, Watcher
from gateway.testing.stack import Person, Stack

StartStack = Callable[..., AbstractAsyncContextManager[Stack]]

UNKNOWN = "0198c0de-0000-7000-8000-000000000001"
PAGE = """
query Page($first: Int!) {
  tickets(first: $first) {
    nodes {
      title
      assignee { email }
      reporter { user { email } }
      logs { name }
      changesBefore { changes { change { ... on Deployment { version createdBy { email } } ... on Commit { sha } } } }
    }
  }
}
"""


async def made(gateway: RunningGateway, person: Person, field: str, selection: str, **fields: Any) -> dict[str, Any]:
    result = await gateway.mutate(field, selection, token=person.token, **fields)
    assert "code" not in result, result
    return result


async def test_page_of_fifty_tickets_with_people_logs_and_changes_is_four_rpcs(
    start_stack: StartStack, query_counter: QueryCounter
) -> None:
    async with start_stack("serve") as stack, stack.gateway(max_cost=20_000) as gateway:
        admin = await stack.admin(gateway)
        people = [admin, *[await stack.join(gateway, admin, f"ops{number}@example.com") for number in range(4)]]
        await made(gateway, admin, "recordDeployment", "deployment { id }", service="checkout", version="1.2.3")
        await made(
            gateway,
            admin,
            "pushCommits",
            "newCommitCount",
            repository="shop/checkout",
            services=["checkout"],
            commits=[{"sha": "a" * 40, "message": "fix: pay", "committedAt": "2026-01-01T00:00:00Z"}],
        )
        for number in range(50):
            log = await made(gateway, admin, "summarizeLog", "log { id }", name=f"{number}.log", text="ERROR slow")
            ticket = await made(
                gateway,
                people[number % 5],
                "createTicket",
                "ticket { id version }",
                title=f"checkout is slow {number}",
                message="",
                service="checkout",
                logIds=[log["log"]["id"]],
            )
            await made(
                gateway,
                admin,
                "assignTicket",
                "ticket { id }",
                ticketId=ticket["ticket"]["id"],
                expectedVersion=ticket["ticket"]["version"],
                assigneeId=people[(number + 1) % 5].id,
            )
        before = gateway.rpcs()

        with ExitStack() as counting:
            statements = {
                name: counting.enter_context(query_counter(database)) for name, database in stack.databases.items()
            }
            data = await gateway.data(PAGE, {"first": 50}, token=admin.token)

        calls = {method: count - before.get(method, 0) for method, count in gateway.rpcs().items()}
        assert {method: count for method, count in calls.items() if count} == {
            "ListTickets": 1,
            "BatchGetUsers": 1,
            "BatchGetLogs": 1,
            "BatchListChangesBefore": 1,
        }
        # Readiness checks look at the migrations whenever they like, and each second somebody asks what is void.
        unasked = ("migration_versions", "pg_current_snapshot")
        counts = {
            name: len([each for each in sent if not any(word in each for word in unasked)])
            for name, sent in statements.items()
        }
        assert counts == {"auth": 1, "logs": 1, "tickets": 1, "changelog": 1, "ai": 0}, statements
        nodes = data["tickets"]["nodes"]
        assert [node["title"] for node in nodes] == [f"checkout is slow {number}" for number in reversed(range(50))]
        assert [node["logs"] for node in nodes] == [[{"name": f"{number}.log"}] for number in reversed(range(50))]
        assert {node["assignee"]["email"] for node in nodes} == {person.email for person in people}
        live = {"change": {"version": "1.2.3", "createdBy": {"email": admin.email}}}
        assert all(node["changesBefore"]["changes"] == [live] for node in nodes)


async def test_ticket_is_triaged_discussed_and_closed_while_two_gateways_watch(stack: Stack) -> None:
    async with stack.gateway() as one, stack.gateway() as two:
        admin = await stack.admin(one)
        ops = await stack.join(one, admin, "ops@example.com")
        log = await made(one, admin, "summarizeLog", "log { id }", name="a.log", text="ERROR disk full")
        first = await made(one, admin, "createTicket", "ticket { id }", title="disk full on db-1", message="again")
        ticket = await made(
            two,
            ops,
            "createTicket",
            "ticket { id version status audience triageState assignee { id } reporter { user { email } } }",
            title="disk full on db-2",
            message="the disk is full since noon",
        )
        ticket_id, created = ticket["ticket"]["id"], ticket["ticket"]
        query = """subscription($id: ID!) { ticketUpdates(ticketId: $id) {
          version status commentCount triageState category triage { engine run { task } }
          assignee { displayName } logs { name tickets { id } } similar { ticket { id } }
          comments { nodes { body internal author { email } } pageInfo { hasNextPage } }
        } }"""
        async with Watcher.connected(one, admin.token) as on_one, Watcher.connected(two, admin.token) as on_two:
            for watcher in (on_one, on_two):
                await watcher.receive()
                await watcher.subscribe(query, id=ticket_id)
            triaged = [await last_of(watcher, triageState="TRIAGED") for watcher in (on_one, on_two)]
            version = triaged[0]["version"]

            await made(
                two,
                ops,
                "assignTicket",
                "ticket { id }",
                ticketId=ticket_id,
                expectedVersion=version,
                assigneeId=admin.id,
            )
            await made(
                one,
                ops,
                "linkTicketLogs",
                "ticket { id }",
                ticketId=ticket_id,
                expectedVersion=version + 1,
                logIds=[log["log"]["id"]],
            )
            await made(
                one,
                ops,
                "addTicketComment",
                "comment { id }",
                ticketId=ticket_id,
                expectedVersion=version + 2,
                body="looking",
                internal=True,
            )
            await made(
                two,
                ops,
                "updateTicketStatus",
                "ticket { id }",
                ticketId=ticket_id,
                expectedVersion=version + 3,
                status="RESOLVED",
            )
            last = [await last_of(watcher, status="RESOLVED") for watcher in (on_one, on_two)]

        assert created["reporter"] == {"user": {"email": ops.email}}
        assert (created["status"], created["audience"], created["triageState"]) == ("OPEN", "GENERAL", "PENDING")
        assert triaged[0]["triage"] == {"engine": "builtin", "run": {"task": "triage_ticket"}}
        assert last[0] == last[1]
        assert (last[0]["version"], last[0]["commentCount"]) == (version + 4, 1)
        assert last[0]["assignee"] == {"displayName": "Ada"}
        assert last[0]["logs"] == [{"name": "a.log", "tickets": [{"id": ticket_id}]}]
        assert [each["ticket"]["id"] for each in last[0]["similar"]] == [first["ticket"]["id"]]
        assert last[0]["comments"] == {
            "nodes": [{"body": "looking", "internal": True, "author": {"email": ops.email}}],
            "pageInfo": {"hasNextPage": False},
        }


async def test_ticket_for_hr_does_not_exist_for_ops_on_any_way(stack: Stack) -> None:
    async with stack.gateway() as gateway:
        admin = await stack.admin(gateway)
        ops = await stack.join(gateway, admin, "ops@example.com")
        hr = await stack.join(gateway, admin, "hr@example.com", "HR")
        ticket = await made(
            gateway, admin, "createTicket", "ticket { id version }", title="my pay slip", message="", audience="PEOPLE"
        )
        ticket_id = ticket["ticket"]["id"]
        query = """query T($id: ID!, $r: [_Any!]!) {
          ticket(id: $id) { title } tickets { nodes { title } }
          _entities(representations: $r) { ... on Ticket { title } }
        }"""
        variables = {"id": ticket_id, "r": [{"__typename": "Ticket", "id": ticket_id}]}

        for_hr = await gateway.data(query, variables, token=hr.token)
        for_ops = await gateway.data(query, variables, token=ops.token)
        refused = await gateway.mutate(
            "updateTicketStatus",
            "ticket { id }",
            token=ops.token,
            ticketId=ticket_id,
            expectedVersion=99,
            status="CLOSED",
        )

        slip = {"title": "my pay slip"}
        assert for_hr == {"ticket": slip, "tickets": {"nodes": [slip]}, "_entities": [slip]}
        assert for_ops == {"ticket": None, "tickets": {"nodes": []}, "_entities": [None]}
        assert (refused["__typename"], refused["code"]) == ("NotFoundError", "TICKET_NOT_FOUND")


async def test_ticket_about_what_does_not_exist_is_refused_with_the_path_and_not_stored(stack: Stack) -> None:
    async with stack.gateway() as gateway:
        admin = await stack.admin(gateway)
        new = {"title": "slow", "message": ""}

        refused = [
            await gateway.mutate("createTicket", "ticket { id }", token=admin.token, **{**new, **given})
            for given in (
                {"logIds": [UNKNOWN]},
                {"reporter": {"userId": UNKNOWN}},
                {"category": "no-such-category"},
                {"message": "x" * 20_001},
            )
        ]

        assert [
            (each["__typename"], each["code"], [field["path"] for field in each["fields"]]) for each in refused
        ] == [
            ("NotFoundError", "LOG_NOT_FOUND", ["logIds.0"]),
            ("NotFoundError", "USER_NOT_FOUND", ["reporter.userId"]),
            ("NotFoundError", "TICKET_OPTION_NOT_FOUND", ["category"]),
            ("ValidationError", "INVALID_ARGUMENT", ["message"]),
        ]
        assert await gateway.data("{ tickets { nodes { id } } }", token=admin.token) == {"tickets": {"nodes": []}}


async def test_option_is_made_changed_and_refused_when_it_is_stale(stack: Stack) -> None:
    async with stack.gateway() as gateway:
        admin = await stack.admin(gateway)
        option = {"kind": "TEAM", "key": "night-shift", "name": "Night", "description": "At night.", "position": 9}
        selection = "option { key name version archived audience }"

        saved = await made(gateway, admin, "saveTicketOption", selection, **option)
        changed = await made(
            gateway, admin, "saveTicketOption", selection, **{**option, "name": "Nights", "expectedVersion": 1}
        )
        stale = await gateway.mutate(
            "saveTicketOption", selection, token=admin.token, **{**option, "expectedVersion": 1}
        )
        options = (await gateway.data("{ ticketOptions { kind key name } }", token=admin.token))["ticketOptions"]

        assert saved["option"] == {
            "key": "night-shift",
            "name": "Night",
            "version": 1,
            "archived": False,
            "audience": "GENERAL",
        }
        assert (changed["option"]["name"], changed["option"]["version"]) == ("Nights", 2)
        assert (stale["__typename"], stale["expected"], stale["actual"]) == ("VersionConflict", 1, 2)
        assert {"kind": "TEAM", "key": "night-shift", "name": "Nights"} in options
        assert {each["kind"] for each in options} == {"CATEGORY", "PRIORITY", "TEAM"}


async def last_of(watcher: Watcher, **wanted: str) -> dict[str, Any]:
    while True:
        item: dict[str, Any] = (await watcher.next())["data"]["ticketUpdates"]
        if wanted.items() <= item.items():
            return item
