"""What the view of every service has in common: one RPC on behalf of the viewer."""

from typing import TYPE_CHECKING, Generic, TypeVar

from chassis.rpc.client import Client

if TYPE_CHECKING:
    from grpc.aio import UnaryUnaryMultiCallable

Stub = TypeVar("Stub")
Request = TypeVar("Request")
Response = TypeVar("Response")

CALL_SECONDS = 5.0


class Calls(Generic[Stub]):
    """RPCs to one service, for one operation."""

    def __init__(self, client: Client, stub: Stub) -> None:
        self._client = client
        self.rpc = stub

    async def call(
        self,
        method: "UnaryUnaryMultiCallable[Request, Response]",
        request: Request,
        *,
        timeout_seconds: float = CALL_SECONDS,
    ) -> Response:
        """One RPC.

        Raises:
            DomainError: what the service answered, or that it did not.
        """
        return await self._client.call(method, request, timeout_seconds=timeout_seconds)
