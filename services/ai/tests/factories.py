"""Evidence as logs would send it, and a model endpoint that does what a test tells it to."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from ai_service.domain import Entry, EntryKind, Evidence, Exemplar, Fact, Sentence
from ai_service.engines.engine import EngineFailed
from ai_service.engines.openai import OpenAiEngine
from ai_service.engines.summary import summary_task
from aiops.ai.v1 import ai_service_pb2 as pb
from aiops.ai.v1 import evidence_pb2

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

START = 1_800_000_000  # 2027-01-15 08:00:00 UTC
NANOSECONDS = 1_000_000_000
API_KEY = "sk-test-5ecre7-5ecre7-5ecre7-5ecre7"
MODEL = "test-model"
DIGEST = "ab" * 32
SAID = (Sentence("Connections to db-7 were refused 84 times.", ("E2",), ("record-E2",)),)
"""What `reply` becomes."""


def new_key() -> str:
    """An idempotency key that was never used."""
    return f"test-{uuid4()}"


def at(second: float) -> int:
    """A moment of the made-up log."""
    return round((START + second) * NANOSECONDS)


def entry(kind: EntryKind, template: str = "", *, key: str = "E1", **values: Any) -> Entry:
    """An entry with one exemplar; `values` win."""
    facts = values.pop("facts", {})
    body = values.pop("body", template.replace("<*>", "x") or "started")
    defaults: dict[str, Any] = {
        "severity_number": 9,
        "pattern_id": "",
        "count": 1,
        "first_time": at(0),
        "last_time": at(0),
        "onset_time": None,
        "exemplars": (Exemplar(f"record-{key}", at(0), body),),
    }
    return Entry(
        key=key,
        kind=kind,
        template=template,
        facts=tuple(Fact(name, value) for name, value in facts.items()),
        **{**defaults, **values},
    )


def overview(**values: Any) -> Entry:
    """The overview of a log of 2,000 records within 15 minutes."""
    facts = {
        "record_count": "2,000",
        "pattern_count": "7",
        "error_count": "84",
        "warning_count": "0",
        "failure_count": "84",
        "error_percent": "4.2",
        "failure_percent": "4.2",
        "first_error_time": "2027-01-15 08:10:00 UTC",
        "duration": "15 minutes",
    }
    defaults: dict[str, Any] = {"count": 2000, "last_time": at(900), "facts": facts, "severity_number": 17}
    return entry(EntryKind.OVERVIEW, **{**defaults, **values})


def refused(**values: Any) -> Entry:
    """The error that matters."""
    defaults: dict[str, Any] = {
        "template": "connection refused to <*>",
        "key": "E2",
        "severity_number": 17,
        "count": 84,
        "first_time": at(600),
        "last_time": at(780),
        "onset_time": at(600),
        "facts": {"count": "84", "share_percent": "4.2", "duration": "3 minutes"},
        "body": "connection refused to db-7",
    }
    return entry(EntryKind.ERROR, **{**defaults, **values})


def evidence(*entries: Entry, digest: str = DIGEST) -> Evidence:
    """Evidence with these entries, else with an overview and an error."""
    return Evidence(digest, "api.log", "api", entries or (overview(), refused()))


def evidence_message(source: Evidence | None = None) -> evidence_pb2.Evidence:
    """The same on the wire."""
    source = source or evidence()
    message = evidence_pb2.Evidence(digest=source.digest, log_name=source.log_name, service=source.service)
    for each in source.entries:
        entry_message = message.entries.add(
            key=each.key,
            kind=evidence_pb2.EntryKind.ValueType(int(each.kind)),
            severity_number=each.severity_number,
            pattern_id=each.pattern_id,
            template=each.template,
            count=each.count,
            facts=[evidence_pb2.Fact(name=fact.name, value=fact.value) for fact in each.facts],
        )
        for name in ("first_time", "last_time", "onset_time"):
            moment = getattr(each, name)
            if moment is not None:
                getattr(entry_message, name).FromNanoseconds(moment)
        for record in each.exemplars:
            exemplar = entry_message.exemplars.add(record_id=record.record_id, body=record.body)
            if record.time is not None:
                exemplar.time.FromNanoseconds(record.time)
    return message


def request(source: Evidence | None = None, *, key: str = "") -> pb.SummarizeEvidenceRequest:
    """A request for this evidence under a key of its own."""
    return pb.SummarizeEvidenceRequest(idempotency_key=key or new_key(), evidence=evidence_message(source))


def reply(*sentences: tuple[str, list[str], list[str]]) -> str:
    """What a model should answer: texts with entry keys and record refs."""
    said = sentences or (("Connections to db-7 were refused 84 times.", ["E2"], ["E2.1"]),)
    return json.dumps(
        {"sentences": [{"text": text, "entry_keys": keys, "record_refs": refs} for text, keys, refs in said]}
    )


def completion(content: str | None, *, finish: str = "stop", **values: Any) -> dict[str, Any]:
    """A chat completion around a content."""
    message = {"role": "assistant", "content": content}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "test-model-2026-08-06",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {"prompt_tokens": 700, "completion_tokens": 90, "total_tokens": 790},
        **values,
    }


def error(message: str, **values: Any) -> dict[str, Any]:
    """The body of a refusal."""
    return {"error": {"message": message, "type": "invalid_request_error", **values}}


@dataclass
class Answered:
    """One scripted answer: a status with a body, or a misbehaviour."""

    body: Any = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    behaviour: str = ""
    """"hang" never answers, "hang_in_body" stops in the middle, "close" hangs up, "garbage" is no HTTP."""


class Endpoint:
    """An OpenAI-compatible endpoint on a free port that follows a script and remembers what it was sent."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.raw: list[bytes] = []
        self.script: Callable[[dict[str, Any]], Answered] = lambda _: Answered(completion(reply()))
        self.base_url = ""

    def answers(self, *answers: Answered) -> None:
        """Give these answers in turn, the last one for ever."""
        left = list(answers)
        self.script = lambda _: left.pop(0) if len(left) > 1 else left[0]

    @property
    def formats(self) -> list[str]:
        """The response format of each request, in order."""
        return [request.get("response_format", {}).get("type", "plain") for request in self.requests]

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection's requests until it ends."""
        try:
            while await self._answer(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
        )
        body = await reader.readexactly(length)
        self.raw.append(head + body)
        self.requests.append(json.loads(body))
        answer = self.script(self.requests[-1])
        if answer.behaviour == "hang":
            await reader.read()
            return False
        if answer.behaviour == "close":
            return False
        if answer.behaviour == "garbage":
            writer.write(b"\x00\x01 no http at all\r\n\r\n")
            await writer.drain()
            return False
        content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        content = answer.body.encode() if isinstance(answer.body, str) else content
        headers = {"content-type": "application/json", "content-length": str(len(content)), **answer.headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"HTTP/1.1 {answer.status} X\r\n{lines}\r\n".encode())
        if answer.behaviour == "hang_in_body":
            writer.write(content[: len(content) // 2])
            await writer.drain()
            await reader.read()
            return False
        writer.write(content)
        await writer.drain()
        return True


@asynccontextmanager
async def running_endpoint() -> AsyncIterator[Endpoint]:
    """An endpoint for the block."""
    endpoint = Endpoint()
    server = await asyncio.start_server(endpoint.handle, "127.0.0.1", 0)
    endpoint.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield endpoint
    finally:
        server.close()


@asynccontextmanager
async def engine_at(endpoint: Endpoint, **values: Any) -> AsyncIterator[OpenAiEngine]:
    """An engine that asks this endpoint and does not really wait between attempts."""
    slept: Callable[[float], Awaitable[None]] = _no_sleep
    defaults: dict[str, Any] = {
        "base_url": endpoint.base_url,
        "api_key": API_KEY,
        "model": MODEL,
        "timeout_seconds": 5.0,
        "deadline_seconds": 20.0,
        "max_output_tokens": 900,
        "redact": lambda text: text,
        "sleep": slept,
    }
    engine = OpenAiEngine(**{**defaults, **values})
    try:
        yield engine
    finally:
        await engine.close()


async def _no_sleep(_: float) -> None:
    return None


async def failure(engine: OpenAiEngine, *, about: Evidence | None = None, budget_seconds: float = 10.0) -> EngineFailed:
    """How an engine fails that has to."""
    with pytest.raises(EngineFailed) as caught:
        await engine.answer(summary_task(about or evidence()), budget_seconds=budget_seconds)
    return caught.value
