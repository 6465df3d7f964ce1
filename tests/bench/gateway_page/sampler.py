"""Where a process spends its CPU time: what its main thread is doing, looked at once per some CPU time.

A tracing profiler would slow down small Python functions most, which is what execution of a graph is made of.
"""

import json
import os
import signal
from collections import Counter
from pathlib import Path
from types import FrameType

EVERY_CPU_SECONDS = 0.001
PARTS = (
    ("resolvers and types of the graph", ("/gateway/graph/",)),
    ("loaders and clients", ("/gateway/clients/", "/strawberry/dataloader")),
    ("execution (graphql-core)", ("/graphql/",)),
    ("execution (strawberry)", ("/strawberry/",)),
    ("telemetry", ("/opentelemetry/", "/prometheus_client/", "/chassis/telemetry", "/chassis/metrics")),
    ("tokens", ("/chassis/identity", "/chassis/tokens", "/gateway/auth", "/jwt/")),
    ("gRPC and protobuf", ("/grpc/", "/chassis/rpc/", "/google/protobuf/", "/aiops/")),
    ("HTTP and JSON", ("/gateway/transports/", "/starlette/", "/fastapi/", "/uvicorn/", "/chassis/http")),
    ("the rest of the gateway", ("/gateway/",)),
    ("event loop", ("/asyncio/", "/selectors")),
)
"""By the innermost frame that belongs to one; what the standard library does counts for whoever called it."""


class Sampler:
    """Counts samples by part, and writes them to a file at SIGTERM."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._samples: Counter[str] = Counter()

    def start(self) -> None:
        """Sample from now on."""
        signal.signal(signal.SIGPROF, self._sample)
        signal.signal(signal.SIGTERM, self._finish)
        signal.setitimer(signal.ITIMER_PROF, EVERY_CPU_SECONDS, EVERY_CPU_SECONDS)

    def _sample(self, _signal: int, frame: FrameType | None) -> None:
        while frame is not None:
            name = frame.f_code.co_filename
            for part, marks in PARTS:
                if any(mark in name for mark in marks):
                    self._samples[part] += 1
                    return
            frame = frame.f_back
        self._samples["other"] += 1

    def _finish(self, _signal: int, _frame: FrameType | None) -> None:
        self._file.write_text(json.dumps(self._samples))
        os._exit(0)
