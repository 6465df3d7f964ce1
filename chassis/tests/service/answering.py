"""A server with made-up RPCs whose behaviour each test gives, and the ways to call it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import StringValue

from chassis.errors import Conflict
from chassis.identity import Call, Role, Trust, current_call
from chassis.metrics import Metrics
from chassis.policy import Policy, allow
from chassis.rpc.client import Client
from chassis.rpc.server import ServerOptions, make_server
from chassis.testing.harness import Installation

SERVICE = "aiops.parcels.v1.ParcelsService"
Behaviour = Callable[[StringValue, Any], Awaitable[StringValue]]


class ParcelBroken(Conflict):
    reason = "PARCEL_BROKEN"


def mask(call: Call, message: Message) -> Message:
    assert isinstance(message, StringValue)
    if call.viewer is not None and call.viewer.role is Role.HR:
        return StringValue(value=message.value.replace("secret", "*"))
    return message


RULES = {
    "Send": allow("gateway", roles=(Role.OPS, Role.HR)),
    "Track": allow("gateway", any_user=True),
    "Store": allow("gateway", roles=(Role.OPS,)),
    "Sweep": allow("depot", background=True),
    "Greet": allow("gateway", anonymous=True),
}


@dataclass
class Parcels:
    """A server whose behaviour each test gives."""

    target: str
    metrics: Metrics
    behaviour: Behaviour
    installation: Installation
    calls: list[Call] = field(default_factory=list)

    def client(self, caller: str = "gateway") -> Client:
        return Client(self.target, "parcels", self.installation.identity(caller), metrics=self.metrics)


@asynccontextmanager
async def serving(
    installation: Installation, behaviour: Behaviour, options: ServerOptions | None = None
) -> AsyncIterator[Parcels]:
    metrics = Metrics()
    server = make_server(
        "parcels",
        trust=Trust.from_file(installation.folder / "trust.json"),
        access_tokens=installation.access_tokens(),
        policy=Policy(RULES, mask),
        metrics=metrics,
        options=options,
    )
    parcels = Parcels("", metrics, behaviour, installation)

    async def unary(request: StringValue, context: Any) -> StringValue:
        parcels.calls.append(current_call())
        return await parcels.behaviour(request, context)

    async def upload(requests: AsyncIterator[StringValue], context: Any) -> StringValue:
        parts = [part.value async for part in requests]
        return await parcels.behaviour(StringValue(value="".join(parts)), context)

    async def download(request: StringValue, context: Any) -> AsyncIterator[StringValue]:
        for part in request.value.split():
            yield await parcels.behaviour(StringValue(value=part), context)

    codec = (StringValue.FromString, StringValue.SerializeToString)
    handlers = {name: grpc.unary_unary_rpc_method_handler(unary, *codec) for name in (*RULES, "Unruled")}
    handlers["Store"] = grpc.stream_unary_rpc_method_handler(upload, *codec)
    handlers["Track"] = grpc.unary_stream_rpc_method_handler(download, *codec)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    parcels.target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield parcels
    finally:
        await server.stop(0)


def unary(client: Client, name: str) -> grpc.aio.UnaryUnaryMultiCallable[StringValue, StringValue]:
    return client.channel.unary_unary(f"/{SERVICE}/{name}", StringValue.SerializeToString, StringValue.FromString)


async def echo(request: StringValue, _context: Any) -> StringValue:
    return request


def raising(error: BaseException) -> Behaviour:
    async def behaviour(_request: StringValue, _context: Any) -> StringValue:
        raise error

    return behaviour


async def upload(client: Client, chunks: AsyncIterator[StringValue]) -> StringValue:
    method = client.channel.stream_unary(f"/{SERVICE}/Store", StringValue.SerializeToString, StringValue.FromString)
    answer: StringValue = await client.stream(method, chunks)
    return answer
