"""A whole service in the process: it waits for what it needs, says when it is ready, and drains."""

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import StringValue
from parcels import fact_to_event
from pydantic_settings import SettingsConfigDict
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from chassis.identity import Call, Role, current_call
from chassis.policy import Policy, allow
from chassis.runtime import Runtime
from chassis.service import Service
from chassis.settings import ServiceSettings
from chassis.testing.harness import Installation, RunningService, running_service
from chassis.testing.plugin import ServiceDatabase

SERVICE = "aiops.parcels.v1.ParcelsService"


class ParcelsSettings(ServiceSettings):
    """What parcels can be told."""

    model_config = SettingsConfigDict(env_prefix="PARCELS_")


class Servicer:
    """One RPC, as slow as the test likes."""

    def __init__(self) -> None:
        self.began = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def Send(self, request: StringValue, _context: Any) -> StringValue:  # noqa: N802
        self.began.set()
        await self.go_on.wait()
        return StringValue(value=f"{request.value} for {current_call().actor.kind}")


def register(servicer: Servicer, server: grpc.aio.Server) -> None:
    codec = (StringValue.FromString, StringValue.SerializeToString)
    handlers = {"Send": grpc.unary_unary_rpc_method_handler(servicer.Send, *codec)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))


def unmasked(_call: Call, message: Message) -> Message:
    return message


async def hello(_request: Request) -> Response:
    return PlainTextResponse("hello")


@pytest.fixture
def settings(installation: Installation, store: ServiceDatabase) -> dict[str, Any]:
    return installation.settings("parcels", database_url=store.app_url)


@pytest.fixture
def make_service(installation: Installation, settings: dict[str, Any]) -> Callable[..., Service]:
    def make(servicer: Servicer | None = None, *, with_settings: dict[str, Any] | None = None, **more: Any) -> Service:
        runtime = Runtime(
            "parcels",
            ParcelsSettings(**{**settings, **(with_settings or {})}),
            to_event=fact_to_event,
            package="parcels",
            access_tokens=installation.access_tokens(),
        )
        return Service(
            runtime=runtime,
            policy=Policy({"Send": allow("gateway", roles=(Role.OPS,))}, unmasked),
            servicer=servicer or Servicer(),
            register=register,
            service_name=SERVICE,
            routes=(Route("/hello", hello),),
            **more,
        )

    return make


async def send(running: RunningService, text: str) -> str:
    client = running.client()
    method = client.channel.unary_unary(f"/{SERVICE}/Send", StringValue.SerializeToString, StringValue.FromString)
    with running.installation.as_viewer("ops"):
        answer: StringValue = await client.call(method, StringValue(value=text))
    return answer.value


async def test_a_service_answers(installation: Installation, make_service: Callable[..., Service]) -> None:
    async with running_service(make_service(), installation) as running:
        assert await send(running, "a parcel") == "a parcel for user"
