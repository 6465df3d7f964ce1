"""The auth service as one operation sees it."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from aiops.auth.v1 import auth_service_pb2 as pb
from aiops.auth.v1 import user_pb2
from chassis.rpc.client import Client
from gateway.clients.batching import key_loader, loader
from gateway.clients.calls import Calls

if TYPE_CHECKING:
    from aiops.auth.v1.auth_service_pb2_grpc import AuthServiceAsyncStub


class AuthCalls(Calls["AuthServiceAsyncStub"]):
    """RPCs to auth on behalf of the viewer, with loaders that live as long as the operation."""

    def __init__(self, client: Client, stub: "AuthServiceAsyncStub") -> None:
        super().__init__(client, stub)
        self.users = loader(self._batch_get_users, lambda user: user.id)
        self.users_by_email = key_loader(self._batch_get_users_by_email)

    async def _batch_get_users(self, ids: Sequence[str], seconds: float) -> Iterable[user_pb2.User]:
        request = pb.BatchGetUsersRequest(ids=ids)
        return (await self.call(self.rpc.BatchGetUsers, request, timeout_seconds=seconds)).users

    async def _batch_get_users_by_email(self, emails: Sequence[str], seconds: float) -> dict[str, user_pb2.User]:
        request = pb.BatchGetUsersByEmailRequest(emails=emails)
        response = await self.call(self.rpc.BatchGetUsersByEmail, request, timeout_seconds=seconds)
        return {found.requested_email: found.user for found in response.users}
