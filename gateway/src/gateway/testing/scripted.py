"""A service whose answers a test writes: for failures that the real one does not have on demand."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from chassis.errors import DomainError
from chassis.identity import Trust
from chassis.metrics import Metrics
from chassis.policy import Policy, allow
from chassis.rpc.server import make_server
from chassis.testing.harness import Installation

Answer = Message | DomainError | Exception | Callable[[Any], Message]


class ScriptedService:
    """Answers each RPC by its script, after `delay_seconds`; an RPC without one is a defect, as in a broken service."""

    def __init__(self, *descriptors: ServiceDescriptor) -> None:
        """`descriptors`: the gRPC services that it answers, whose RPCs have different names."""
        self.descriptors = descriptors
        self.answers: dict[str, Answer] = {}
        self.calls: Counter[str] = Counter()
        self.requests: list[Message] = []
        self.delay_seconds = 0.0
        self.target = ""
        self.server: grpc.aio.Server | None = None

    async def stop(self) -> None:
        """Die: from now on nobody listens at `target`."""
        if self.server is not None:
            await self.server.stop(0)

    async def _answer(self, method: str, request: Message) -> Message:
        self.calls[method] += 1
        self.requests.append(request)
        await asyncio.sleep(self.delay_seconds)
        answer = self.answers.get(method, RuntimeError("no script: secret-of-the-service"))
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Message) else answer(request)

    def handlers(self) -> tuple[grpc.GenericRpcHandler, ...]:
        """All methods of its services."""
        return tuple(map(self._handler, self.descriptors))

    def _handler(self, descriptor: ServiceDescriptor) -> grpc.GenericRpcHandler:
        methods: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}
        for method in descriptor.methods:
            read = GetMessageClass(method.input_type).FromString
            write = GetMessageClass(method.output_type).SerializeToString
            methods[method.name] = (
                grpc.stream_unary_rpc_method_handler(self._streamed(method.name), read, write)
                if method.client_streaming
                else grpc.unary_unary_rpc_method_handler(self._unary(method.name), read, write)
            )
        return grpc.method_handlers_generic_handler(descriptor.full_name, methods)

    def _unary(self, method: str) -> Any:
        async def handle(request: Message, _context: Any) -> Message:
            return await self._answer(method, request)

        return handle

    def _streamed(self, method: str) -> Any:
        async def handle(requests: AsyncIterator[Message], _context: Any) -> Message:
            received = [request async for request in requests]
            self.requests.extend(received[:-1])
            # To gRPC's reader a cancelled stream ends like a whole one; the cancellation comes a moment later, and a
            # real service has more to wait for before it commits.
            await asyncio.sleep(0.05)
            return await self._answer(method, received[-1])

        return handle


@asynccontextmanager
async def running_script(
    script: ScriptedService, name: str, installation: Installation
) -> AsyncIterator[ScriptedService]:
    """Serve the script for the block, behind the interceptors that every service has."""
    anybody = allow("gateway", anonymous=True)
    policy = Policy(
        {method.name: anybody for each in script.descriptors for method in each.methods}, lambda _call, message: message
    )
    access_tokens = installation.access_tokens()
    await access_tokens.revocations.ask()
    keeping = asyncio.get_running_loop().create_task(access_tokens.revocations.keep())
    server = make_server(
        name,
        trust=Trust.from_file(installation.folder / "trust.json"),
        access_tokens=access_tokens,
        policy=policy,
        metrics=Metrics(),
    )
    server.add_generic_rpc_handlers(script.handlers())
    script.target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    script.server = server
    try:
        yield script
    finally:
        keeping.cancel()
        await server.stop(0)
