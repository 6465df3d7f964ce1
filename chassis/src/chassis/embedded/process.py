"""A server that this process starts, watches and stops; one that dies leaves a message that says what to do."""

import ctypes
import pwd
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil

_PR_SET_PDEATHSIG = 1
_LOG_TAIL_BYTES = 2000
_STOP_SECONDS = 30


class EmbeddedError(Exception):
    """An embedded server cannot be used; the message says what to do."""


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def require_free(port: int, *, of: str, setting: str) -> None:
    """Return if the port can be listened on.

    Raises:
        EmbeddedError: something listens there.
    """
    with socket.socket() as probe:
        # As the servers do: a port in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise EmbeddedError(
                f"port {port} is in use, so {of} cannot start; stop what listens there or set {setting} to another port"
            ) from error


def start(
    command: Sequence[str | Path],
    *,
    log: Path,
    stop_signal: signal.Signals,
    dies_with_parent: bool,
    user: pwd.struct_passwd | None = None,
) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own, so that a terminal's Ctrl-C reaches us alone and we stop it in order."""

    def bind_to_parent() -> None:
        if dies_with_parent and sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(stop_signal))

    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - our own server programs
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd="/",
            preexec_fn=bind_to_parent,  # noqa: PLW1509 - one system call, and callers start servers before any thread
            user=None if user is None else user.pw_uid,
            group=None if user is None else user.pw_gid,
            extra_groups=None if user is None else [],
        )


def stop_left_over(pid_file: Path, *, name: str, stop_signal: signal.Signals) -> bool:
    """Stop the server whose pid a file holds, if that process still is such a server; whether there was one."""
    try:
        server = psutil.Process(int(pid_file.read_text().split("\n", 1)[0]))
        if server.name() != name or server.status() == psutil.STATUS_ZOMBIE:
            return False
        server.send_signal(stop_signal)
        server.wait(_STOP_SECONDS)
    except (OSError, ValueError, psutil.NoSuchProcess):
        return False
    except psutil.TimeoutExpired as error:
        raise EmbeddedError(f"{name} (process {server.pid}) does not stop; end it and try again") from error
    return True


def log_tail(log: Path) -> str:
    """The last lines that a server wrote."""
    if not log.exists():
        return "(no log)"
    return log.read_bytes()[-_LOG_TAIL_BYTES:].decode(errors="replace").strip()


def failure(name: str, log: Path) -> EmbeddedError:
    """Why a server ended, with the cause named where its log tells."""
    tail = log_tail(log)
    if "No space left on device" in tail:
        return EmbeddedError(f"{name} cannot write: the disk is full; free some space and start again")
    if "Address already in use" in tail or "address already in use" in tail:
        return EmbeddedError(f"{name} cannot start: its port is in use; stop what listens there or choose another")
    return EmbeddedError(f"{name} ended by itself; its log {log} ends with:\n{tail}")
