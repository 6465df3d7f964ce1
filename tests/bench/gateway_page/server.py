"""The servers that are measured, each in a process of its own: `python -m tests.bench.gateway_page.server NAME CONFIG`.

floor    the answer by hand: FastAPI, the same three RPCs, token checks and telemetry
gateway  the product
sampled  the product, with a look at where its CPU time goes
"""

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.telemetry import TelemetryConfig  # noqa: TC002 - its keys are checked
from tests.bench.gateway_page.page import PAGE_SIZE, by_hand
from tests.bench.gateway_page.sampler import Sampler

from aiops.auth.v1 import auth_service_pb2
from aiops.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from aiops.common.v1.page_pb2 import PageRequest
from aiops.logs.v1 import logs_service_pb2
from aiops.logs.v1.logs_service_pb2_grpc import LogsServiceStub
from aiops.tickets.v1 import tickets_service_pb2
from aiops.tickets.v1.tickets_service_pb2_grpc import TicketsServiceStub
from chassis import telemetry
from chassis.http import HttpServer, Traced, bind
from chassis.identity import AccessTokens, Call, ServiceIdentity, acting_as
from chassis.resilience import limiter
from chassis.revocations import Revocation, Revocations
from chassis.rpc.client import Client
from gateway.app import build
from gateway.settings import GatewaySettings


class Floor:
    """The same answer by hand."""

    def __init__(self, config: dict[str, Any], access_tokens: AccessTokens) -> None:
        identity = ServiceIdentity.from_file("gateway", config["key_file"])
        self.clients = {name: Client(config[f"{name}_target"], name, identity) for name in ("auth", "logs", "tickets")}
        self.auth = AuthServiceStub(self.clients["auth"].channel)
        self.logs = LogsServiceStub(self.clients["logs"].channel)
        self.tickets = TicketsServiceStub(self.clients["tickets"].channel)
        self.access_tokens = access_tokens

    async def post(self, request: Request) -> Response:
        given = orjson.loads(await request.body())
        assert given["query"]
        token = request.headers["authorization"].partition(" ")[2]
        viewer = await self.access_tokens.verify(token)
        with acting_as(Call("client", viewer, token)):
            page = await self.clients["tickets"].call(
                self.tickets.ListTickets, tickets_service_pb2.ListTicketsRequest(page=PageRequest(first=PAGE_SIZE))
            )
            user_ids = dict.fromkeys(ticket.reporter.user_id for ticket in page.tickets)
            log_ids = dict.fromkeys(id_ for ticket in page.tickets for id_ in ticket.log_ids)
            users, logs = await asyncio.gather(
                self.clients["auth"].call(
                    self.auth.BatchGetUsers, auth_service_pb2.BatchGetUsersRequest(ids=list(user_ids))
                ),
                self.clients["logs"].call(
                    self.logs.BatchGetLogs, logs_service_pb2.BatchGetLogsRequest(ids=list(log_ids))
                ),
            )
        body = {"data": by_hand(page, users, logs), "extensions": {"traceId": telemetry.current_trace_id()}}
        return Response(orjson.dumps(body), media_type="application/json")


async def serve(what: str, config: dict[str, Any]) -> None:
    """Serve until terminated."""
    telemetry.configure("bench")

    async def jwks() -> str:
        return str(config["jwks"])

    async def revoked(_since: str) -> tuple[Sequence[Revocation], str]:
        return (), ""

    revocations = Revocations(revoked)
    await revocations.ask()
    access_tokens = AccessTokens(jwks, revocations)
    if what == "floor":
        silent: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "operation_spans": False}
        app = FastAPI(telemetry=silent)
        app.add_api_route("/graphql", Floor(config, access_tokens).post, methods=["POST"], response_model=None)
        await HttpServer(Traced(app)).serve(sockets=[bind(config["floor"], variable="floor")])
        return
    if config["control"]:
        limiter.LEAST_AT_ONCE = 1 << 30
    if what == "sampled":
        Sampler(Path(config["samples"])).start()
    names = ("trust_file", "redaction_key_file", "key_file", "nats_url")
    targets = {name: config[name] for name in config if name.endswith("_target")}
    settings = GatewaySettings(
        http_listen=config[what],
        operations_listen="127.0.0.1:0",
        documents="any",  # the page is nobody's but the contest's
        person_rate=0,
        machine_rate=0,
        **{name: config[name] for name in names},
        **targets,
        **config["settings"],
    )
    await build(settings, access_tokens=access_tokens).run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], json.loads(Path(sys.argv[2]).read_text())))
