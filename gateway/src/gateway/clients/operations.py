"""The operations of one service as one operation of the graph sees them."""

from typing import TYPE_CHECKING

from aiops.operations.v1.operations_service_pb2_grpc import OperationsServiceStub
from chassis.rpc.client import Client
from gateway.clients.calls import Calls

if TYPE_CHECKING:
    from aiops.operations.v1.operations_service_pb2_grpc import OperationsServiceAsyncStub


class OperationsCalls(Calls["OperationsServiceAsyncStub"]):
    """RPCs to the operations of one service on behalf of the viewer: every service has the same."""

    def __init__(self, client: Client) -> None:
        stub: OperationsServiceAsyncStub = OperationsServiceStub(client.channel)
        super().__init__(client, stub)
