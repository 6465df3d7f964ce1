"""The auth service as one operation sees it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeVar

from aiops.auth.v1 import auth_service_pb2 as pb
from aiops.auth.v1 import user_pb2
from chassis.rpc.client import Client
from gateway.clients.batching import loader

if TYPE_CHECKING:
    from grpc.aio import UnaryUnaryMultiCallable

    from aiops.auth.v1.auth_service_pb2_grpc import AuthServiceAsyncStub

Request = TypeVar("Request")
Response = TypeVar("Response")


class AuthCalls:
    """RPCs to auth on behalf of the viewer, with loaders that live as long as the operation."""

    def __init__(self, client: Client, stub: "AuthServiceAsyncStub") -> None:
        self._client = client
        self.rpc = stub
        self.users = loader(self._batch_get_users, lambda user: user.id)

    async def call(self, method: "UnaryUnaryMultiCallable[Request, Response]", request: Request) -> Response:
        """One RPC.

        Raises:
            DomainError: what auth answered, or that it did not.
        """
        return await self._client.call(method, request)

    async def _batch_get_users(self, ids: list[str]) -> Iterable[user_pb2.User]:
        return (await self.call(self.rpc.BatchGetUsers, pb.BatchGetUsersRequest(ids=ids))).users
