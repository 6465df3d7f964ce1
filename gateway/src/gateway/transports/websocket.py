"""GraphQL over WebSocket: the graphql-transport-ws protocol and no other (https://github.com/enisdenjo/graphql-ws).

The library's handler keeps the protocol. What is ours: who is connected, that each operation stands for itself, and
that the connection ends when the token does.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import ExitStack, suppress
from datetime import timedelta
from typing import Any, cast

import orjson
from starlette.websockets import WebSocket
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler
from strawberry.subscriptions.protocols.graphql_transport_ws.types import ConnectionInitMessage, Message
from strawberry.types.execution import ExecutionResult
from strawberry.types.unset import UNSET

from chassis.clock import Clock
from chassis.errors import DomainError, ErrorKind, InvalidArgument, Unauthenticated
from chassis.identity import Viewer
from chassis.revocations import Revocations
from gateway.auth import Authenticator
from gateway.context import Caller
from gateway.operations import Operations
from gateway.transports.origin import from_own_pages
from gateway.trusted import Asked

CONNECTION_INIT_SECONDS = 5.0
MAX_OPERATIONS_PER_CONNECTION = 10
MAX_MESSAGE_BYTES = 1_500_000

BAD_REQUEST = 4400
UNAUTHORIZED = 4401
FORBIDDEN = 4403
SUBPROTOCOL_NOT_ACCEPTABLE = 4406
TRY_AGAIN_LATER = 1013
SERVICE_RESTART = 1012


class _View:
    """What the library's handler asks of the view around it."""

    def decode_json(self, text: str) -> object:
        return orjson.loads(text)  # its error is a json.JSONDecodeError, which is what the adapter waits for

    def encode_json(self, data: object) -> str:
        return orjson.dumps(data).decode()

    async def on_ws_connect(self, _context: None) -> object:
        return UNSET  # who connects is known by then


class _ForCaller:
    """The schema as the handler wants it, run for the connection's caller."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
        self.caller = Caller()

    async def stream(
        self,
        query: object,
        *,
        variable_values: Mapping[str, Any] | None,
        operation_name: str | None,
        context_value: None,
        root_value: None,
    ) -> AsyncGenerator[ExecutionResult, None]:
        del context_value, root_value  # every operation gets its own
        assert isinstance(query, Asked), "Connection.handle_message puts it there"
        return self._operations.stream(query, variable_values, operation_name, self.caller)


class Connection(BaseGraphQLTransportWSHandler[None, None]):
    """One client: from its connection_init, which brings the token, to the end of that token."""

    def __init__(
        self, websocket: WebSocket, operations: Operations, authenticator: Authenticator, clock: Clock
    ) -> None:
        self._authenticator = authenticator
        self._clock = clock
        self._for_caller = _ForCaller(operations)
        self._address = websocket.client.host if websocket.client else ""
        self._agent = websocket.headers.get("user-agent", "")
        self._operations = operations
        self._held = ExitStack()
        self._lifetime = asyncio.timeout(None)
        view = cast("Any", _View())
        super().__init__(
            view=view,
            websocket=ASGIWebSocketAdapter(view, websocket, websocket),
            context=None,
            root_value=None,
            schema=cast("Any", self._for_caller),
            connection_init_wait_timeout=timedelta(seconds=CONNECTION_INIT_SECONDS),
            max_subscriptions_per_connection=MAX_OPERATIONS_PER_CONNECTION,
        )

    async def handle(self) -> None:
        """Talk until the client leaves or its token ends."""
        try:
            with self._held:
                async with self._lifetime:
                    await super().handle()
        except TimeoutError:
            await self.close(FORBIDDEN, "Token expired")

    async def handle_message(self, message: Message) -> None:
        """Take one message; the library trusts its form, so one without it ends here."""
        if _well_formed(message):
            if message["type"] == "subscribe":
                payload = cast("dict[str, Any]", message["payload"])
                payload["query"] = Asked.of(payload)  # the library hands it on as it is
            await super().handle_message(message)
        else:
            await self.close(BAD_REQUEST, "Message without the form of graphql-transport-ws")

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        """Find out who connects, before the library acknowledges."""
        payload = message.get("payload")
        if not self.connection_init_received and isinstance(payload, dict | None):
            try:
                await self._identify(payload or {})
            except DomainError as error:
                refused = error.kind is ErrorKind.UNAUTHENTICATED
                await self.close(*((UNAUTHORIZED, "Unauthorized") if refused else (TRY_AGAIN_LATER, "Try again later")))
                return
        await super().handle_connection_init(message)

    async def _identify(self, payload: Mapping[str, object]) -> None:
        authorization = next((value for key, value in payload.items() if key.lower() == "authorization"), None)
        proof = await self._authenticator.authenticate(authorization if isinstance(authorization, str) else None)
        if proof is None:
            raise Unauthenticated('send {"authorization": "Bearer <token>"} with connection_init')
        left = proof.viewer.expires_at - self._clock.now()
        self._lifetime.reschedule(asyncio.get_running_loop().time() + left.total_seconds())
        caller = Caller(proof.viewer, proof.token, self._address, agent=self._agent)
        self._held.enter_context(self._operations.connections.held(caller))
        self._for_caller.caller = caller

    @property
    def viewer(self) -> Viewer | None:
        """Who is connected, once he has said it."""
        return self._for_caller.caller.viewer

    async def close(self, code: int, reason: str) -> None:
        """End the conversation."""
        if self.connection_init_timeout_task:
            self.connection_init_timeout_task.cancel()
        with suppress(RuntimeError):  # the client was faster
            await self.websocket.close(code, reason)


def _well_formed(message: object) -> bool:
    """Whether a message is an object with fields of the protocol's types."""
    if not isinstance(message, dict) or not isinstance(message.get("id", ""), str):
        return False
    if message.get("type") != "subscribe":
        return True
    payload = message.get("payload")
    formed = (
        isinstance(payload, dict)
        and isinstance(payload.get("variables"), dict | None)
        and isinstance(payload.get("operationName"), str | None)
        and isinstance(payload.get("extensions"), dict | None)
    )
    try:
        return formed and bool(Asked.of(cast("dict[str, Any]", payload)))
    except InvalidArgument:
        return False


class GraphQLOverWebSocket:
    """WebSocket /graphql."""

    def __init__(self, operations: Operations, authenticator: Authenticator, clock: Clock) -> None:
        self._operations = operations
        self._authenticator = authenticator
        self._clock = clock
        self._connections: set[Connection] = set()
        self._closing: set[asyncio.Future[None]] = set()

    async def connect(self, websocket: WebSocket) -> None:
        """Serve one client."""
        if not from_own_pages(websocket.headers):
            await websocket.close(FORBIDDEN, "Origin not allowed")  # before it is accepted: HTTP 403
            return
        if GRAPHQL_TRANSPORT_WS_PROTOCOL not in websocket.scope.get("subprotocols", ()):
            await websocket.accept()
            await websocket.close(SUBPROTOCOL_NOT_ACCEPTABLE, "Subprotocol not acceptable")
            return
        await websocket.accept(GRAPHQL_TRANSPORT_WS_PROTOCOL)
        connection = Connection(websocket, self._operations, self._authenticator, self._clock)
        self._connections.add(connection)
        try:
            await connection.handle()
        finally:
            self._connections.discard(connection)

    def turn_away(self, revocations: Revocations) -> None:
        """End the connections of all whose tokens are void by now."""
        for connection in self._connections:
            if connection.viewer is not None and revocations.is_void(connection.viewer):
                closing = asyncio.ensure_future(connection.close(FORBIDDEN, "Access changed"))
                self._closing.add(closing)
                closing.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Ask all clients to come again: they will find another gateway, or this one after its restart."""
        for connection in list(self._connections):
            await connection.close(SERVICE_RESTART, "Service restart")
