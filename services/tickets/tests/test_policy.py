"""Who gets in, and who sees which ticket: over real gRPC, with real tokens."""

from services.tickets.tests.factories import Call, Create

from aiops.common.v1.page_pb2 import PageRequest
from aiops.tickets.v1 import tickets_service_pb2 as pb
from chassis.testing.harness import Installation
from tickets_service.policy import build_policy

LIST = pb.ListTicketsRequest(page=PageRequest(first=50))


def test_every_rpc_has_a_rule() -> None:
    methods = {method.name for method in pb.DESCRIPTOR.services_by_name["TicketsService"].methods}

    assert set(build_policy().rules) == methods


async def test_ops_sees_what_is_general(call: Call, create: Create, installation: Installation) -> None:
    with installation.as_viewer("ops"):
        ticket = await create(reporter={"external_name": "Ada", "external_email": "ada@example.com"}, message="502")
        listed = (await call("ListTickets", LIST)).tickets
        similar = await call(
            "BatchListSimilarTickets", pb.BatchListSimilarTicketsRequest(ticket_ids=[ticket.id], first=5)
        )

    assert list(listed) == [ticket]
    assert ticket.reporter.external_email == ""
    assert len(similar.tickets) == 1
