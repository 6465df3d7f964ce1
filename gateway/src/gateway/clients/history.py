"""The histories of the services as one operation sees them: each service answers for its own kinds."""

from typing import TYPE_CHECKING

from aiops.common.v1 import page_pb2
from aiops.history.v1 import history_service_pb2 as pb
from aiops.history.v1.history_service_pb2_grpc import HistoryServiceStub
from gateway.clients.calls import Calls

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

    from aiops.history.v1.history_service_pb2_grpc import HistoryServiceAsyncStub
    from chassis.rpc.client import Client


class HistoryCalls:
    """RPCs to the HistoryService of the service that owns a kind, on behalf of the viewer."""

    def __init__(self, owners: "dict[str, Client]") -> None:
        """`owners`: by kind, the way to the service that keeps its histories."""
        self._owners = owners

    def keeps(self, kind: str) -> bool:
        """Whether there are histories of this kind."""
        return kind in self._owners

    async def changes(self, kind: str, id_: str, page: page_pb2.PageRequest) -> pb.ListChangesResponse:
        """One page of changes, oldest first; the cursor of a change is its version.

        Raises:
            DomainError: what the service answered, or that it did not.
        """
        of = self._of(kind)
        return await of.call(of.rpc.ListChanges, pb.ListChangesRequest(kind=kind, id=id_, page=page))

    async def state(self, kind: str, id_: str, moment: "int | Timestamp") -> pb.GetStateResponse:
        """The thing as it was at a version or a time.

        Raises:
            DomainError: what the service answered, or that it did not.
        """
        of = self._of(kind)
        request = pb.GetStateRequest(kind=kind, id=id_)
        if isinstance(moment, int):
            request.version = moment
        else:
            request.time.CopyFrom(moment)
        return await of.call(of.rpc.GetState, request)

    async def difference(self, kind: str, id_: str, from_version: int, to_version: int) -> list[pb.Operation]:
        """The operations that lead from one version to the other.

        Raises:
            DomainError: what the service answered, or that it did not.
        """
        of = self._of(kind)
        request = pb.CompareVersionsRequest(kind=kind, id=id_, from_version=from_version, to_version=to_version)
        return list((await of.call(of.rpc.CompareVersions, request)).operations)

    def _of(self, kind: str) -> "Calls[HistoryServiceAsyncStub]":
        owner = self._owners[kind]
        return Calls(owner, HistoryServiceStub(owner.channel))
