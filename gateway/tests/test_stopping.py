"""What a stopping gateway owes to those whom it still serves."""

import asyncio
from collections.abc import AsyncIterator

from aiops.logs.v1 import log_pb2, logs_service_pb2
from gateway.testing.stack import Script


async def test_an_upload_that_goes_on_is_taken_whole_before_the_gateway_ends(script: Script) -> None:
    log = log_pb2.Log(id="1", state=log_pb2.LOG_STATE_RECEIVED, status=log_pb2.LOG_STATUS_OPEN)
    script.logs.answers["UploadLog"] = logs_service_pb2.UploadLogResponse(log=log)
    begun = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"INFO started\n"
        begun.set()
        await asyncio.sleep(6.0)  # longer than the server waits by itself
        yield b"ERROR refused\n"

    url, headers = f"{script.gateway.url}/v1/logs/upload?name=a.log", {"authorization": f"Bearer {script.token()}"}
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        sending = tasks.create_task(script.gateway.client.post(url, content=pieces(), headers=headers))
        await begun.wait()
        await script.gateway.gateway.stop()

    response = sending.result()
    requests = [each for each in script.logs.requests if isinstance(each, logs_service_pb2.UploadLogRequest)]
    assert response.status_code == 202
    assert b"".join(request.chunk for request in requests) == b"INFO started\nERROR refused\n"
