"""The whole stack on this machine: warm start to the first answered query, memory, and a real log to its summary.

Needs a state folder of its own, which it makes and deletes. A log file may be named in BENCH_LOG; else it makes 2,000
lines of a dozen shapes.
"""

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from aiops_cli import documents, graph

ROOT = Path(__file__).resolve().parents[2]
OFFSET = 31000
ROUNDS = 5
SHAPES = (
    "INFO http: GET /orders/{a} took {b} ms",
    "INFO http: POST /orders took {b} ms",
    "DEBUG cache: hit for key order:{a}",
    "WARN pool: waited {b} ms for a connection, {c} in use",
    "ERROR payment: provider refused connection to 10.0.{c}.{b}:443",
    "INFO worker: job {a} finished in {b} ms",
)


def lines(count: int) -> bytes:
    """Made-up lines over half an hour, the errors in its last third."""
    source = random.Random(7)  # noqa: S311 - no secret
    made = []
    for number in range(count):
        shapes = SHAPES if number > count * 2 // 3 else [shape for shape in SHAPES if "ERROR" not in shape]
        text = source.choice(list(shapes)).format(
            a=source.randrange(10**6), b=source.randrange(250), c=source.randrange(20)
        )
        at = number * 1800 // count
        made.append(f"2026-11-20T10:{at // 60:02d}:{at % 60:02d}Z {text}")
    return "\n".join(made).encode()


def command(environment: dict[str, str], *arguments: str) -> None:
    """Run dev/stack.py, loudly when it fails."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "dev" / "stack.py"), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)


def log_in(folder: Path) -> graph.Graph:
    """Log in as the local admin."""
    admin = json.loads((folder / "admin.json").read_text())
    session, _ = graph.log_in(f"http://127.0.0.1:{8080 + OFFSET}", admin["email"], admin["password"])
    return graph.Graph(session)


def summarize(client: graph.Graph, data: bytes) -> float:
    """Seconds from the first byte sent to the stored summary."""
    started = time.perf_counter()
    stored = client.upload(iter([data]), {"name": "bench"})
    while True:
        log: dict[str, Any] = client.query(documents.LOG, {"id": stored["id"]})["log"]
        if log["state"] != "RECEIVED":
            if log["state"] != "SUMMARIZED":
                raise SystemExit(f"no summary: {log['failure']}")
            return time.perf_counter() - started
        time.sleep(0.02)


def memory(folder: Path) -> dict[str, int]:
    """PSS in MB of each process of the stack, Postgres and NATS included."""
    supervisor = psutil.Process(json.loads((folder / "stack.json").read_text())["supervisor"])
    found: dict[str, int] = {"supervisor": supervisor.memory_full_info().pss}
    mine = {supervisor.pid} | {child.pid for child in supervisor.children(recursive=True)}
    for process in psutil.process_iter():
        try:
            arguments = " ".join(process.cmdline())
            if process.pid != supervisor.pid and (
                process.pid in mine or str(folder) in arguments or _below(process, mine)
            ):
                name = next((part for part in ("_service", "gateway", "nats-server") if part in arguments), "postgres")
                name = arguments.split("-m ")[-1].split(" ")[0] if name in {"_service", "gateway"} else name
                found[name] = found.get(name, 0) + process.memory_full_info().pss
                mine.add(process.pid)
        except psutil.Error:
            continue
    return {name: round(size / 1e6) for name, size in found.items()}


def _below(process: psutil.Process, mine: set[int]) -> bool:
    return any(parent.pid in mine for parent in process.parents())


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "state"
        os.environ["XDG_CONFIG_HOME"] = str(Path(temporary) / "config")
        environment = {**os.environ, "AIOPS_STATE_DIR": str(folder), "AIOPS_PORT_OFFSET": str(OFFSET)}
        command(environment, "up", "--detach")
        command(environment, "down")
        starts = []
        for _ in range(ROUNDS):
            started = time.perf_counter()
            command(environment, "up", "--detach")
            client = log_in(folder)
            client.query(documents.LOGS, {"first": 1})
            starts.append(time.perf_counter() - started)
            if len(starts) < ROUNDS:
                command(environment, "down")
        data = Path(os.environ["BENCH_LOG"]).read_bytes() if "BENCH_LOG" in os.environ else lines(2000)
        summaries = [summarize(client, data) for _ in range(ROUNDS)]
        used = memory(folder)
        command(environment, "reset")
    print(f"warm start to the first answered query: {statistics.median(starts):.1f} s  {[round(s, 1) for s in starts]}")
    print(f"{data.count(10) + 1} lines to a stored summary: {statistics.median(summaries):.2f} s")
    print(f"memory (PSS) after that: {sum(used.values())} MB  {used}")


if __name__ == "__main__":
    main()
