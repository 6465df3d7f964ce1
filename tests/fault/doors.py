"""Doors between services: all calls to a service go through its door, which can be closed, deaf, or broken for one key.

What stands before and behind a door is the product as it is; a door knows nothing of any RPC but its bytes.
"""

import asyncio
import math
from collections import Counter
from contextlib import suppress
from typing import Any

import grpc

HOP_BY_HOP = ("grpc-", "user-agent", ":", "content-type", "te")
FOREVER_SECONDS = 3600.0


class RpcDoor(grpc.GenericRpcHandler):
    """Hands RPCs on to a service, unless it is told otherwise."""

    def __init__(self, target: str) -> None:
        self.calls: Counter[str] = Counter()
        """RPCs that came to the door, by their bare names."""
        self._behind = grpc.aio.insecure_channel(target)
        self._server: grpc.aio.Server | None = None
        self._port = 0
        self._stalled = self._answers_lost = False
        self._broken_key = b""
        self._refusals, self._refuses_after = 0.0, False

    @property
    def target(self) -> str:
        """Where to call the service."""
        return f"127.0.0.1:{self._port}"

    async def open(self) -> None:
        """Let everything through."""
        self._stalled, self._answers_lost, self._broken_key, self._refusals = False, False, b"", 0.0
        if self._server is None:
            # Two servers on one port would share its connections.
            self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
            self._server.add_generic_rpc_handlers((self,))
            self._port = self._server.add_insecure_port(f"127.0.0.1:{self._port}")
            await self._server.start()

    async def stop(self) -> None:
        """As when the service's process is killed: connections end, new ones are refused."""
        if self._server is not None:
            await self._server.stop(0)
            self._server = None

    def stall(self) -> None:
        """As when the service's process is suspended: calls are taken and never answered."""
        self._stalled = True

    def refuse(self, *, times: float = math.inf, after: bool = False) -> None:
        """As when a connection breaks: so many calls end unanswered, `after` they were done or before."""
        self._refusals, self._refuses_after = times, after

    def lose_answers(self) -> None:
        """The service does what it is asked and nobody hears of it."""
        self._answers_lost = True

    def break_for(self, key: str) -> None:
        """Calls that name this key fail with INTERNAL, whatever else they name."""
        self._broken_key = key.encode()

    async def close(self) -> None:
        """Be no more."""
        await self.stop()
        await self._behind.close()

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """A handler of bytes for any method."""
        method = handler_call_details.method

        async def hand_on(request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
            self.calls[method.rpartition("/")[2]] += 1
            if self._stalled:
                await asyncio.sleep(FOREVER_SECONDS)
            if self._broken_key and self._broken_key in request:
                await context.abort(grpc.StatusCode.INTERNAL, "broken")
            refused = self._refusals > 0 and not method.startswith("/grpc.health")
            self._refusals -= refused
            if refused and not self._refuses_after:
                await context.abort(grpc.StatusCode.UNAVAILABLE, "refused")
            metadata = [pair for pair in context.invocation_metadata() or () if not pair[0].startswith(HOP_BY_HOP)]
            behind: Any = self._behind.unary_unary(method)
            try:
                answer: bytes = await behind(request, metadata=metadata, timeout=context.time_remaining())
            except grpc.aio.AioRpcError as error:
                await context.abort(error.code(), error.details() or "", tuple(error.trailing_metadata() or ()))
            if refused:
                await context.abort(grpc.StatusCode.UNAVAILABLE, "lost")
            if self._answers_lost:
                await asyncio.sleep(FOREVER_SECONDS)
            return answer

        return grpc.unary_unary_rpc_method_handler(hand_on)


class TcpDoor:
    """Hands connections on to an address, or refuses them."""

    def __init__(self, address: str) -> None:
        self._host, _, port = address.rpartition(":")
        self._behind_port = int(port)
        self._server: asyncio.Server | None = None
        self._port = 0

    @property
    def address(self) -> str:
        """Where to connect."""
        return f"127.0.0.1:{self._port}"

    async def open(self) -> None:
        """Let everything through."""
        if self._server is None:
            self._server = await asyncio.start_server(self._hand_on, "127.0.0.1", self._port)
            self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Refuse new connections."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _hand_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind_reader, behind_writer = await asyncio.open_connection(self._host, self._behind_port)
        await asyncio.gather(_copy(reader, behind_writer), _copy(behind_reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()
