"""The HTTP side as a stranger meets it, before any of our code has seen a request."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from chassis.health import Health, Phase
from chassis.http import MAX_HEADER_BYTES, HttpServer, bind, make_app
from chassis.metrics import Metrics

MEBIBYTE = b"a" * 1024 * 1024


@pytest.fixture
async def port() -> AsyncIterator[int]:
    metrics = Metrics()
    health = Health("aiops.parcels.v1.ParcelsService", {}, metrics)
    await health.enter(Phase.SERVING)
    listener = bind("127.0.0.1:0", variable="PARCELS_HTTP_LISTEN")
    server = HttpServer(make_app(health, metrics))
    serving = asyncio.get_running_loop().create_task(server.serve(sockets=[listener]))
    yield listener.getsockname()[1]
    server.should_exit = True
    await serving


@pytest.mark.parametrize(
    "opening",
    [
        b"GET /healthz HTTP/1.1\r\nHost: here\r\nX-Long: ",
        b"GET /",
        b"POST /healthz HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Trailer: ",
    ],
    ids=["header", "target", "trailer"],
)
async def test_a_head_without_an_end_is_not_kept(port: int, opening: bytes) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(opening)

    sent = 0
    with pytest.raises(ConnectionError):  # noqa: PT012 - the door closes somewhere in this loop
        while sent < 64:
            writer.write(MEBIBYTE)
            await writer.drain()
            sent += 1

    assert sent < 16


async def test_a_long_token_fits_and_connections_are_used_again(port: int) -> None:
    headers = {"authorization": "Bearer " + "a" * (MAX_HEADER_BYTES // 2)}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        answers = [(await client.get("/healthz", headers=headers)).status_code for _ in range(4)]

    assert answers == [200, 200, 200, 200]


async def test_no_answer_waits_for_a_delayed_acknowledgement(port: int) -> None:
    """A head and a body in two writes cost 40 ms each where the second waits for the first; the bound is loose."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    started = asyncio.get_running_loop().time()

    for _ in range(25):
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        [length] = [line.split(b":")[1] for line in head.lower().splitlines() if line.startswith(b"content-length")]
        await reader.readexactly(int(length))

    assert asyncio.get_running_loop().time() - started < 0.6
    writer.close()
