"""What a resolver may know about the operation that it runs in."""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import strawberry

from chassis.identity import Viewer
from gateway.clients.ai import AiCalls
from gateway.clients.audit import AuditCalls
from gateway.clients.auth import AuthCalls
from gateway.clients.changelog import ChangelogCalls
from gateway.clients.history import HistoryCalls
from gateway.clients.logs import LogsCalls
from gateway.clients.operations import OperationsCalls
from gateway.clients.tickets import TicketsCalls
from gateway.documents import Prepared
from gateway.live import ChangeFeed
from gateway.services import Services


@dataclass(frozen=True)
class Caller:
    """Who is at the other end, as the transport found out."""

    viewer: Viewer | None = None
    token: str | None = None
    """The access token that proves the viewer."""
    address: str = ""
    """The client's network address."""
    idempotency_key: str | None = None
    """The Idempotency-Key header."""
    agent: str = ""
    """What the client says that it is, by apollographql-client-name or User-Agent."""

    @property
    def client(self) -> str:
        """What sort of program it is, for the audit."""
        if self.viewer is not None and self.viewer.kind == "service_account":
            return "machine"
        known = {"Mozilla/": "browser", "aiops-cli": "cli"}
        return next((name for begin, name in known.items() if self.agent.startswith(begin)), "another client")


class RequestContext:
    """One operation: its caller, and calls and loaders that end with it."""

    def __init__(self, caller: Caller, services: Services, change_feed: ChangeFeed, prepared: Prepared) -> None:
        self.caller = caller
        self.change_feed = change_feed
        self.prepared = prepared
        self._services = services

    @cached_property
    def auth(self) -> AuthCalls:
        """The auth service."""
        return AuthCalls(self._services.auth_client, self._services.auth)

    @cached_property
    def logs(self) -> LogsCalls:
        """The logs service."""
        return LogsCalls(self._services.logs_client, self._services.logs)

    @cached_property
    def tickets(self) -> TicketsCalls:
        """The tickets service."""
        return TicketsCalls(self._services.tickets_client, self._services.tickets)

    @cached_property
    def changelog(self) -> ChangelogCalls:
        """The changelog service."""
        return ChangelogCalls(self._services.changelog_client, self._services.changelog)

    @cached_property
    def ai(self) -> AiCalls:
        """The ai service."""
        return AiCalls(self._services.ai_client, self._services.ai)

    def operations(self, service: str) -> OperationsCalls:
        """What a service keeps for its operators.

        Raises:
            KeyError: there is no such service.
        """
        return OperationsCalls(self._services.by_name[service])

    def audit(self, service: str) -> AuditCalls:
        """What a service keeps of who saw what.

        Raises:
            KeyError: there is no such service.
        """
        return AuditCalls(self._services.by_name[service])

    @cached_property
    def history(self) -> HistoryCalls:
        """The histories of all services, by kind."""
        of = self._services
        owners = {"user": of.auth_client, "log": of.logs_client, "ticket": of.tickets_client}
        return HistoryCalls({**owners, "changelog": of.changelog_client})

    def forget_loaded(self) -> None:
        """Let the next read ask the services again: a subscription outlives what its loaders remember."""
        for name in ("auth", "logs", "tickets", "changelog", "ai"):
            self.__dict__.pop(name, None)


Info: TypeAlias = strawberry.Info[RequestContext, None]
