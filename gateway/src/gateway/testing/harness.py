"""A gateway running inside a test, on free ports, and clients that speak to it as real ones do."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self
from uuid import uuid4

import httpx
from opentelemetry import trace
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from chassis import telemetry
from gateway.process import Gateway

EVENT_SECONDS = 15.0
REFUSALS = {
    "ValidationError": "fields { path message }",
    "NotFoundError": "fields { path message }",
    "ConflictError": "fields { path message }",
    "VersionConflict": "expected actual",
    "RateLimitedError": "retryAfterSeconds",
    "IdempotencyInProgress": "retryAfterSeconds",
}


class RunningGateway:
    """A gateway that answers on `url`."""

    def __init__(self, gateway: Gateway, client: httpx.AsyncClient) -> None:
        self.gateway = gateway
        self.client = client
        self.url = f"http://127.0.0.1:{gateway.http_port}"
        self.operations_url = f"http://127.0.0.1:{gateway.operations_port}"
        self.websocket_url = f"ws://127.0.0.1:{gateway.http_port}/graphql"

    async def post(
        self, query: str, variables: Mapping[str, Any] | None = None, *, token: str = "", **headers: str
    ) -> httpx.Response:
        """One operation over HTTP; header names are given with underscores."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            sent["authorization"] = f"Bearer {token}"
        return await self.client.post(
            f"{self.url}/graphql", json={"query": query, "variables": dict(variables or {})}, headers=sent
        )

    async def ask(
        self, query: str, variables: Mapping[str, Any] | None = None, *, token: str = "", **headers: str
    ) -> dict[str, Any]:
        """The answer's body."""
        body: dict[str, Any] = (await self.post(query, variables, token=token, **headers)).json()
        return body

    async def data(self, query: str, variables: Mapping[str, Any] | None = None, *, token: str = "") -> dict[str, Any]:
        """The data of an answer that has no errors."""
        body = await self.ask(query, variables, token=token)
        assert "errors" not in body, body["errors"]
        data: dict[str, Any] = body["data"]
        return data

    async def mutate(self, field: str, selection: str, *, token: str = "", **fields: Any) -> dict[str, Any]:
        """The result of one mutation: its success with `selection`, or any refusal."""
        name = field[0].upper() + field[1:]
        # A fragment on a type that the union does not hold makes the document invalid.
        held = self._members(f"{name}Result")
        refusals = " ".join(f"... on {member} {{ {part} }}" for member, part in REFUSALS.items() if member in held)
        document = (
            f"mutation M($input: {name}Input!) {{ {field}(input: $input) {{ __typename "
            f"... on {name}Success {{ {selection} }} ... on UserError {{ code message }} {refusals} }} }}"
        )
        result: dict[str, Any] = (await self.data(document, {"input": fields}, token=token))[field]
        return result

    def rpcs(self) -> dict[str, int]:
        """How many RPCs the gateway has made for somebody so far, by method: each second it asks what is void, too."""
        counts: dict[str, int] = {}
        for line in self.gateway.metrics.exposition().decode().splitlines():
            if line.startswith("aiops_rpc_client_requests_total{"):
                labels, _, count = line.rpartition(" ")
                method = labels.partition('method="')[2].partition('"')[0]
                if method != "ListRevocations":
                    counts[method] = counts.get(method, 0) + int(float(count))
        return counts

    def _members(self, union: str) -> set[str]:
        found = self.gateway.operations.documents.schema.type_map[union]
        return {member.name for member in getattr(found, "types", ())}


class Watcher:
    """A client of graphql-transport-ws."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    @classmethod
    @asynccontextmanager
    async def connected(
        cls, gateway: RunningGateway, token: str | None, *, protocol: str = "graphql-transport-ws"
    ) -> AsyncIterator[Self]:
        """A connection whose connection_init was sent, with this token; with None nothing is sent."""
        async with connect(gateway.websocket_url, subprotocols=[Subprotocol(protocol)]) as connection:
            watcher = cls(connection)
            if token is not None:
                payload = {"authorization": f"Bearer {token}"} if token else {}
                await watcher.send({"type": "connection_init", "payload": payload})
            yield watcher

    async def send(self, message: Mapping[str, Any]) -> None:
        """Send one message."""
        await self.connection.send(json.dumps(message))

    async def receive(self) -> dict[str, Any]:
        """The next message."""
        async with asyncio.timeout(EVENT_SECONDS):
            message: dict[str, Any] = json.loads(await self.connection.recv())
        return message

    async def subscribe(self, query: str, **variables: Any) -> str:
        """Begin an operation; its id."""
        operation_id = str(uuid4())
        payload = {"query": query, "variables": variables}
        await self.send({"id": operation_id, "type": "subscribe", "payload": payload})
        return operation_id

    async def next(self) -> dict[str, Any]:
        """The payload of the next message, which has to be an item."""
        message = await self.receive()
        assert message["type"] == "next", message
        payload: dict[str, Any] = message["payload"]
        return payload

    async def close_code(self) -> tuple[int | None, str | None]:
        """Code and reason with which the gateway ends the connection."""
        async with asyncio.timeout(EVENT_SECONDS):
            await self.connection.wait_closed()
        return self.connection.close_code, self.connection.close_reason


@asynccontextmanager
async def running_gateway(gateway: Gateway) -> AsyncIterator[RunningGateway]:
    """Run the gateway for the block."""
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        telemetry.configure("tests")  # so that trace ids are valid
    await gateway.start()
    try:
        async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
            yield RunningGateway(gateway, client)
    finally:
        await gateway.stop()
        if gateway.failure:
            raise AssertionError(gateway.failure)
