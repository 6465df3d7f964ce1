"""The services that the gateway stands in front of: one channel and one stub for each, as long as the process."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from aiops.ai.v1.ai_service_pb2_grpc import AiServiceStub
from aiops.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from aiops.changelog.v1.changelog_service_pb2_grpc import ChangelogServiceStub
from aiops.logs.v1.logs_service_pb2_grpc import LogsServiceStub
from aiops.tickets.v1.tickets_service_pb2_grpc import TicketsServiceStub
from chassis.identity import ServiceIdentity
from chassis.metrics import Metrics
from chassis.rpc.client import Client
from chassis.settings import ProcessSettings

if TYPE_CHECKING:
    from aiops.ai.v1.ai_service_pb2_grpc import AiServiceAsyncStub
    from aiops.auth.v1.auth_service_pb2_grpc import AuthServiceAsyncStub
    from aiops.changelog.v1.changelog_service_pb2_grpc import ChangelogServiceAsyncStub
    from aiops.logs.v1.logs_service_pb2_grpc import LogsServiceAsyncStub
    from aiops.tickets.v1.tickets_service_pb2_grpc import TicketsServiceAsyncStub


@dataclass(frozen=True)
class Services:
    """Channels and stubs."""

    auth_client: Client
    auth: "AuthServiceAsyncStub"
    logs_client: Client
    logs: "LogsServiceAsyncStub"
    tickets_client: Client
    tickets: "TicketsServiceAsyncStub"
    changelog_client: Client
    changelog: "ChangelogServiceAsyncStub"
    ai_client: Client
    ai: "AiServiceAsyncStub"

    @classmethod
    def at(cls, settings: ProcessSettings, identity: ServiceIdentity, metrics: Metrics) -> Self:
        """Services at the addresses of the settings; nothing is sent before the first call."""
        auth = Client(settings.auth_target, "auth", identity, metrics=metrics, retries=True)
        logs = Client(settings.logs_target, "logs", identity, metrics=metrics, retries=True)
        tickets = Client(settings.tickets_target, "tickets", identity, metrics=metrics, retries=True)
        changelog = Client(settings.changelog_target, "changelog", identity, metrics=metrics, retries=True)
        ai = Client(settings.ai_target, "ai", identity, metrics=metrics, retries=True)
        return cls(
            auth_client=auth,
            auth=AuthServiceStub(auth.channel),
            logs_client=logs,
            logs=LogsServiceStub(logs.channel),
            tickets_client=tickets,
            tickets=TicketsServiceStub(tickets.channel),
            changelog_client=changelog,
            changelog=ChangelogServiceStub(changelog.channel),
            ai_client=ai,
            ai=AiServiceStub(ai.channel),
        )

    @property
    def clients(self) -> tuple[Client, ...]:
        """The channels, one for each service."""
        return (self.auth_client, self.logs_client, self.tickets_client, self.changelog_client, self.ai_client)

    @property
    def by_name(self) -> dict[str, Client]:
        """The channels by the names of the services."""
        return dict(zip(("auth", "logs", "tickets", "changelog", "ai"), self.clients, strict=True))

    async def close(self) -> None:
        """Close the channels."""
        for client in self.clients:
            await client.close()
