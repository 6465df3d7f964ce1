"""What other services say of ids that tickets keep: asked before anything is stored, outside of any transaction."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from aiops.auth.v1.auth_service_pb2 import BatchGetUsersRequest
from aiops.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from aiops.auth.v1.user_pb2 import Role, User, UserStatus
from aiops.logs.v1.logs_service_pb2 import BatchGetLogsRequest
from aiops.logs.v1.logs_service_pb2_grpc import LogsServiceStub
from chassis.errors import ErrorKind, RemoteError
from chassis.identity import Call, acting_as, current_call
from chassis.rpc.client import Client
from tickets_service.commands import Assignee
from tickets_service.errors import LogNotFound, UserNotFound

if TYPE_CHECKING:
    from aiops.auth.v1.auth_service_pb2_grpc import AuthServiceAsyncStub
    from aiops.logs.v1.logs_service_pb2_grpc import LogsServiceAsyncStub

_ROLES = {Role.ROLE_ADMIN: "admin", Role.ROLE_OPS: "ops", Role.ROLE_HR: "hr"}


class References:
    """Asks auth about people and logs about logs, with the eyes of whoever calls."""

    def __init__(self, auth: Client, logs: Client) -> None:
        self._auth_client = auth
        self._auth: AuthServiceAsyncStub = AuthServiceStub(auth.channel)
        self._logs_client = logs
        self._logs: LogsServiceAsyncStub = LogsServiceStub(logs.channel)

    async def guard_reporter(self, user_id: UUID | None) -> None:
        """Let a reporter pass who has an account, is the caller himself, or is somebody outside.

        Raises:
            UserNotFound: no user has this id.
            Unavailable: auth cannot be reached.
        """
        viewer = current_call().viewer
        if user_id is not None and (viewer is None or viewer.id != user_id):
            await self._user(user_id, field="reporter.user_id")

    async def assignee(self, user_id: UUID | None) -> Assignee | None:
        """Whoever shall do it, as auth knows him; None for nobody.

        Raises:
            UserNotFound: no user has this id.
            Unavailable: auth cannot be reached.
        """
        if user_id is None:
            return None
        user = await self._user(user_id, field="assignee_id")
        return Assignee(user_id, _ROLES.get(user.role, ""), user.status == UserStatus.USER_STATUS_ACTIVE)

    async def guard_logs(self, log_ids: Sequence[UUID]) -> None:
        """Let logs pass that exist for the caller.

        Raises:
            LogNotFound: one of them does not.
            Unavailable: logs cannot be reached.
        """
        if not log_ids:
            return
        missing = set(map(str, log_ids)) - await self._known_logs(log_ids)
        for place, log_id in enumerate(log_ids):
            if str(log_id) in missing:
                raise LogNotFound(
                    f"no log has the id {log_id}; list the logs to find the right one",
                    field=f"log_ids.{place}",
                    id=str(log_id),
                )

    async def _known_logs(self, log_ids: Sequence[UUID]) -> set[str]:
        request = BatchGetLogsRequest(ids=map(str, log_ids))
        try:
            answer = await self._logs_client.call(self._logs.BatchGetLogs, request)
        except RemoteError as error:
            if error.kind is ErrorKind.FORBIDDEN:  # for whoever may see no log, none exists
                return set()
            raise
        return {log.id for log in answer.logs}

    async def _user(self, user_id: UUID, *, field: str) -> User:
        request = BatchGetUsersRequest(ids=[str(user_id)])
        call = current_call()
        # A machine has no eyes for people; that an id exists is for us to know.
        asking = call if call.viewer is not None and call.viewer.kind == "user" else _own(call)
        with acting_as(asking):
            users = (await self._auth_client.call(self._auth.BatchGetUsers, request)).users
        if not users:
            raise UserNotFound(
                f"no user has the id {user_id}; list the users to find the right one", field=field, id=str(user_id)
            )
        return users[0]


def _own(call: Call) -> Call:
    return Call(
        "tickets",
        method=call.method,
        deadline=call.deadline,
        causation_id=call.causation_id,
        correlation_id=call.correlation_id,
    )
