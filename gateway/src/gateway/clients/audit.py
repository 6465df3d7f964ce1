"""The audit of one service as one operation of the graph sees it."""

from typing import TYPE_CHECKING

from aiops.audit.v1.audit_service_pb2_grpc import AuditServiceStub
from chassis.rpc.client import Client
from gateway.clients.calls import Calls

if TYPE_CHECKING:
    from aiops.audit.v1.audit_service_pb2_grpc import AuditServiceAsyncStub


class AuditCalls(Calls["AuditServiceAsyncStub"]):
    """RPCs to the audit of one service on behalf of the viewer: every service has the same."""

    def __init__(self, client: Client) -> None:
        stub: AuditServiceAsyncStub = AuditServiceStub(client.channel)
        super().__init__(client, stub)
