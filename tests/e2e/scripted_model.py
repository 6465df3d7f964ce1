"""An OpenAI-compatible endpoint on a free port of this machine that misbehaves as it is told, and takes traces."""

from __future__ import annotations

import gzip
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable

HANG_SECONDS = 15.0


@dataclass(frozen=True)
class Reply:
    """What is sent back; without a status the connection is closed without a word."""

    status: int | None
    body: bytes = b""
    wait: bool = False


def completion(content: str | None, *, finish: str = "stop") -> Reply:
    """A well-formed completion with this text."""
    message = {"role": "assistant", "content": content}
    choice = {"index": 0, "finish_reason": finish, "message": message}
    body = {"id": "c1", "object": "chat.completion", "created": 1, "model": "scripted", "choices": [choice]}
    return Reply(200, json.dumps(body).encode())


def sentences(*said: dict[str, Any]) -> Reply:
    """A completion of the form that was asked for."""
    return completion(json.dumps({"sentences": said}))


@dataclass
class ScriptedModel:
    """The endpoint and what it was asked."""

    answer: Callable[[list[dict[str, Any]]], Reply] = lambda _: Reply(503)
    """From the entries of the evidence to the reply."""
    prompts: list[bytes] = field(default_factory=list)
    spans: list[bytes] = field(default_factory=list)
    """What came as a trace: the endpoint is an OTLP/HTTP collector as well."""
    over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        model = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path == "/v1/traces":
                    packed = self.headers.get("Content-Encoding") == "gzip"
                    model.spans.append(gzip.decompress(body) if packed else body)
                    self.send_response(200)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                model.prompts.append(body)
                reply = model.answer(entries(body))
                if reply.wait:
                    model.over.wait(HANG_SECONDS)
                if reply.status is None:
                    self.close_connection = True
                    return
                self.send_response(reply.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

            def log_message(self, *_: object) -> None:
                """Keep the output of the tests clean."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a caller that gave up waiting
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"


def entries(request: bytes) -> list[dict[str, Any]]:
    """The evidence in a request for a completion."""
    user = json.loads(request)["messages"][-1]["content"]
    found: list[dict[str, Any]] = json.loads(user[user.index("{") : user.rindex("}") + 1])["entries"]
    return found
