"""No RPC answers with what is sensitive, but that its sight is noted: found in the descriptors, not in a list."""

from collections.abc import Iterator

import pytest
from google.protobuf.descriptor import Descriptor, MethodDescriptor

from aiops.history.v1 import history_service_pb2
from aiops.logs.v1 import logs_service_pb2
from aiops.operations.v1 import operations_service_pb2
from aiops.tickets.v1 import tickets_service_pb2
from auth_service.audited import SIGHTINGS as AUTH
from chassis.audit import Sightings
from chassis.operations import SIGHTINGS as OPERATIONS
from logs_service.audited import SIGHTINGS as LOGS
from tickets_service.audited import SIGHTINGS as TICKETS

SENSITIVE = {
    "aiops.tickets.v1.Ticket",
    "aiops.tickets.v1.Comment",
    "aiops.tickets.v1.RevealedTicket",
    "aiops.logs.v1.LogRecord",
    "aiops.operations.v1.DeadLetter",
}
NOTED_BY_THEMSELVES = {"RevealTicket", "RedriveDeadLetters"}
"""In the transaction of what they do."""


def held(message: Descriptor, seen: frozenset[str] = frozenset()) -> Iterator[str]:
    yield message.full_name
    for field in message.fields:
        if field.message_type is not None and field.message_type.full_name not in seen:
            yield from held(field.message_type, seen | {message.full_name})


def sensitive_rpcs(methods: Iterator[MethodDescriptor]) -> set[str]:
    return {method.name for method in methods if SENSITIVE & set(held(method.output_type))}


@pytest.mark.parametrize(
    ("module", "service", "sightings"),
    [
        (tickets_service_pb2, "TicketsService", TICKETS),
        (logs_service_pb2, "LogsService", LOGS),
        (operations_service_pb2, "OperationsService", OPERATIONS),
    ],
)
def test_every_rpc_that_may_answer_with_it_is_noted(module: object, service: str, sightings: Sightings) -> None:
    methods = module.DESCRIPTOR.services_by_name[service].methods  # type: ignore[attr-defined]  # a generated module

    found = sensitive_rpcs(methods)

    assert len(found) >= 2
    assert found - NOTED_BY_THEMSELVES <= set(sightings)


@pytest.mark.parametrize("sightings", [AUTH, TICKETS])
def test_every_way_to_a_history_of_accounts_and_of_tickets_is_noted(sightings: Sightings) -> None:
    methods = {method.name for method in history_service_pb2.DESCRIPTOR.services_by_name["HistoryService"].methods}

    assert methods <= set(sightings)
