"""The audits of all services as one list: for admins, newest first."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from gateway.testing.stack import Stack

StartStack = Callable[..., AbstractAsyncContextManager[Stack]]

EVENTS = """
query Events($first: Int!, $after: String, $service: ServiceName, $kind: String, $actor: ID, $subject: ID) {
  auditEvents(first: $first, after: $after, service: $service, kind: $kind, actorId: $actor, subjectId: $subject) {
    nodes { id service kind occurredAt path operation subjectIds actor { kind id } clientAddress detail }
    pageInfo { hasNextPage endCursor }
    unavailable
  }
}
"""


async def test_an_admin_reads_all_services_as_one_list(start_stack: StartStack) -> None:
    async with start_stack("serve") as stack, stack.gateway() as gateway:
        admin = await stack.admin(gateway)
        ops = await stack.join(gateway, admin, "oda@example.com")
        await gateway.data("{ deadLetters(service: LOGS) { nodes { id } } }", token=admin.token)

        first = (await gateway.data(EVENTS, {"first": 2}, token=admin.token))["auditEvents"]
        after = {"first": 100, "after": first["pageInfo"]["endCursor"]}
        rest = (await gateway.data(EVENTS, after, token=admin.token))["auditEvents"]
        logged_in = (await gateway.data(EVENTS, {"first": 9, "kind": "log_in.succeeded"}, token=admin.token))[
            "auditEvents"
        ]["nodes"]
        about = {"first": 9, "service": "AUTH", "subject": str(ops.id)}
        of_ops = (await gateway.data(EVENTS, about, token=admin.token))["auditEvents"]["nodes"]
        own = (await gateway.data(EVENTS, {"first": 5, "kind": "audit.seen"}, token=admin.token))["auditEvents"][
            "nodes"
        ]
        refused = await gateway.post(EVENTS, {"first": 2}, token=ops.token)

    nodes = [*first["nodes"], *rest["nodes"]]
    assert len({node["id"] for node in nodes}) == len(nodes)
    times = [node["occurredAt"] for node in nodes]
    assert times == sorted(times, reverse=True)
    assert first["pageInfo"]["hasNextPage"] is True
    assert first["unavailable"] == []
    assert {node["service"] for node in logged_in} == {"AUTH"}
    assert "user.invited" in {node["kind"] for node in of_ops}
    assert {node["path"] for node in own} == {"graphql query auditEvents, by another client"}
    assert {node["actor"]["id"] for node in own} == {str(admin.id)}
    assert refused.json()["data"] == {"auditEvents": None}
    assert refused.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
