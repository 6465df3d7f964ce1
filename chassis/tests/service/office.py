"""The parcels as a service: a composition like every other, and a program (`python -m office serve work`)."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

import grpc
from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import StringValue
from parcels import fact_to_event, send
from pydantic_settings import SettingsConfigDict
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from chassis.consumer import Subscription
from chassis.db import UnitOfWork
from chassis.health import Check
from chassis.history import History
from chassis.identity import AccessTokens, Call, Role, current_call
from chassis.policy import Policy, allow
from chassis.revocations import Revocation, Revocations
from chassis.runtime import Runtime
from chassis.schedules import Schedule
from chassis.service import Service, main
from chassis.settings import ServiceSettings

SERVICE = "aiops.parcels.v1.ParcelsService"
NAMESPACE = UUID("0198c0de-0000-7000-8000-00000000000f")


class ParcelsSettings(ServiceSettings):
    """What parcels can be told."""

    model_config = SettingsConfigDict(env_prefix="PARCELS_")


class Servicer:
    """One RPC, as slow as the test likes."""

    def __init__(self, unit_of_work: UnitOfWork) -> None:
        self.began = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()
        self._unit_of_work = unit_of_work

    async def Send(self, request: StringValue, _context: Any) -> StringValue:  # noqa: N802 - the proto's name
        """Send the parcel of that name on; "slowly" waits for a word."""
        self.began.set()
        if request.value == "slowly":
            await asyncio.sleep(1)
        await self.go_on.wait()
        async with self._unit_of_work.begin() as tx:
            version = await send(tx, uuid5(NAMESPACE, request.value), "Oslo")
        return StringValue(value=f"{request.value} {version} by a {current_call().actor.kind}")


def register(servicer: Servicer, server: grpc.aio.Server) -> None:
    """What the generated code does for a real service."""
    codec = (StringValue.FromString, StringValue.SerializeToString)
    handlers = {"Send": grpc.unary_unary_rpc_method_handler(servicer.Send, *codec)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))


def send_method(channel: grpc.aio.Channel) -> "grpc.aio.UnaryUnaryMultiCallable[StringValue, StringValue]":
    """What a generated stub has."""
    return channel.unary_unary(f"/{SERVICE}/Send", StringValue.SerializeToString, StringValue.FromString)


def unmasked(_call: Call, message: Message) -> Message:
    """Parcels hold no secrets."""
    return message


async def hello(_request: Request) -> Response:
    """An own route."""
    return PlainTextResponse("hello")


def build(
    settings: ParcelsSettings | None = None,
    *,
    access_tokens: AccessTokens | None = None,
    subscriptions: Sequence[Subscription] = (),
    schedules: Sequence[Schedule] = (),
    checks: Mapping[str, Check] | None = None,
    histories: Sequence[History] = (),
) -> Service:
    """The service."""
    runtime = Runtime(
        "parcels",
        settings or ParcelsSettings(),
        to_event=fact_to_event,
        package="parcels",
        access_tokens=access_tokens,
        histories=histories,
    )
    return Service(
        runtime=runtime,
        policy=Policy({"Send": allow("gateway", roles=(Role.OPS,))}, unmasked),
        servicer=Servicer(runtime.unit_of_work),
        register=register,
        service_name=SERVICE,
        subscriptions=subscriptions,
        schedules=schedules,
        routes=(Route("/hello", hello),),
        checks=checks or {},
    )


def alone() -> Service:
    """As a program among others of which none is auth: no key is known, and nothing is void."""

    async def no_keys() -> str:
        return '{"keys": []}'

    async def nothing(_since: str) -> tuple[Sequence[Revocation], str]:
        return (), ""

    return build(access_tokens=AccessTokens(no_keys, Revocations(nothing)))


if __name__ == "__main__":
    main(alone)
