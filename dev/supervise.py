"""Child processes of the stack: started in order, watched, restarted, stopped in reverse."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

RESTARTS_PER_MINUTE = 5
MINUTE_SECONDS = 60.0
STOP_SECONDS = 45.0


class StackError(Exception):
    """Something that a person can put right; the message says what and how."""


@dataclass
class Child:
    """One Python process of the stack and where it says that it is ready."""

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    ready_url: str
    log: Path
    process: subprocess.Popen[bytes] | None = None
    starts: deque[float] = field(default_factory=lambda: deque(maxlen=RESTARTS_PER_MINUTE))

    def start(self) -> None:
        """Start it in a group of its own, so that a Ctrl-C at the terminal reaches only the supervisor."""
        self.starts.append(time.monotonic())
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self.arguments],
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Process id; 0 before the first start."""
        return self.process.pid if self.process else 0

    def exited(self) -> int | None:
        """Exit code when it has ended, else None."""
        return self.process.poll() if self.process else None

    def ready(self) -> bool:
        """True when it answers its readiness address with 200."""
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(self.ready_url, timeout=2.0).status_code == httpx.codes.OK
        return False

    def terminate(self) -> None:
        """Ask it to drain and end."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def join(self, deadline: float) -> None:
        """Wait until it has ended; after the deadline (monotonic) it is killed."""
        if self.process is None:
            return
        try:
            self.process.wait(timeout=max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def last_lines(self, count: int = 12) -> str:
        """The end of its log, for an error message."""
        if not self.log.exists():
            return "(it wrote nothing)"
        with self.log.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 16384))
            return b"\n".join(file.read().splitlines()[-count:]).decode(errors="replace")

    def crash_message(self, code: int) -> str:
        """What a person needs to know about the end of this process."""
        return (
            f"{self.name} ended with exit code {code}. Its last lines:\n\n{self.last_lines()}\n\n"
            f"The whole log is {self.log}. Put the cause right, then run `make up` again; the data is kept."
        )


def wait_ready(child: Child, *, seconds: float, while_waiting: Callable[[], None]) -> None:
    """Return when the child is ready.

    Raises:
        StackError: it ended, or was not ready in time.
    """
    deadline = time.monotonic() + seconds
    while not child.ready():
        while_waiting()
        code = child.exited()
        if code is not None:
            raise StackError(child.crash_message(code))
        if time.monotonic() > deadline:
            raise StackError(
                f"{child.name} was not ready after {seconds:.0f} s. Its last lines:\n\n{child.last_lines()}\n\n"
                f"{child.ready_url} says what it waits for; the whole log is {child.log}."
            )
        time.sleep(0.1)


def restart_crashed(children: list[Child], say: Callable[[str], None]) -> None:
    """Start again whatever has ended by itself.

    Raises:
        StackError: one crashed five times within a minute.
    """
    for child in children:
        code = child.exited()
        if code is None:
            continue
        if len(child.starts) == RESTARTS_PER_MINUTE and time.monotonic() - child.starts[0] < MINUTE_SECONDS:
            raise StackError(f"{child.name} keeps crashing. {child.crash_message(code)}")
        say(f"{child.name} ended with exit code {code}; it is started again (log: {child.log})")
        child.start()


def stop(children: list[Child]) -> None:
    """Stop in the reverse order of the start, the drains side by side; a child that does not end in time is killed."""
    deadline = time.monotonic() + STOP_SECONDS
    for child in reversed(children):
        child.terminate()
    for child in reversed(children):
        child.join(deadline)
