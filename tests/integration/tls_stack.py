"""A whole installation under mutual TLS: a throwaway CA, a PostgreSQL and a NATS that take nobody without it."""

import os
import pwd
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from chassis.embedded import process
from chassis.embedded.nats import NatsServer
from chassis.embedded.postgres import PostgresServer
from chassis.nats_config import nats_config, nats_tls
from chassis.testing.certificates import Authority
from chassis.tls import CA_VARIABLE, Tls
from stack import Stack
from state import MEMBERS, ROOT, SERVICES, Ports, State

OPERATOR = "operator"
READY_SECONDS = 60.0


@dataclass(frozen=True)
class Files:
    """Certificate and key of somebody."""

    certificate: Path
    key: Path


class TlsPostgres(PostgresServer):
    """A PostgreSQL whose addresses carry an operator's certificate."""

    tls: Tls

    def url(self, user: str, password: str, database: str) -> str:
        return self.tls.postgres_url(super().url(user, password, database), variable="URL")


class TlsState(State):
    """Each process with certificates of its own; the addresses of databases that it gives are an operator's."""

    def __init__(self, folder: Path, ports: Ports) -> None:
        super().__init__(folder, ports)
        self.authority = Authority(folder / "pki")
        self.files = {name: Files(*self.authority.service(name)) for name in (*MEMBERS, OPERATOR)}
        self.operator = Tls(OPERATOR, self.authority.ca, self.files[OPERATOR].certificate, self.files[OPERATOR].key)

    def plain_database_url(self, role: str) -> str:
        return super().database_url(role)

    def database_url(self, role: str) -> str:
        return self.operator.postgres_url(super().database_url(role), variable=f"{role} database")

    def environment(self, member: str, *, worker: bool = False) -> dict[str, str]:
        files, prefix = self.files[member], member.upper()
        own = {
            CA_VARIABLE: str(self.authority.ca),
            f"{prefix}_TLS_CERT_FILE": str(files.certificate),
            f"{prefix}_TLS_KEY_FILE": str(files.key),
            "AIOPS_NATS_URL": f"tls://127.0.0.1:{self.ports.nats}",
            "AIOPS_JWKS_URL": "http://127.0.0.1:1/nobody-asks-here",
        }
        if member in SERVICES:
            own[f"{prefix}_DATABASE_URL"] = self.plain_database_url(f"{member}_app")
        return {**super().environment(member, worker=worker), **own}


class TlsStack(Stack):
    """The stack on servers that demand certificates."""

    state: TlsState
    programs: Path
    """Of a PostgreSQL that speaks TLS."""
    reachable: Path
    """Where a server may keep data that does not run as the tests' user."""

    def start_postgres(self) -> PostgresServer:
        self.postgres = start_postgres(self.state, self.programs, self.reachable)
        return self.postgres

    def start_nats(self) -> None:
        passwords = {member: self.state.secret(f"nats_{member}") for member in (*SERVICES, "gateway")}
        server = Files(*self.state.authority.issue("nats"))
        self.nats = NatsServer.start(
            self.state.path("nats"),
            port=self.state.ports.nats,
            monitor_port=self.state.ports.nats_monitor,
            authorization=nats_config(ROOT / "proto" / "events.yaml", passwords)
            + nats_tls(self.state.authority.ca, server.certificate, server.key),
            dies_with_parent=True,
        )


def start_postgres(state: TlsState, programs: Path, reachable: Path) -> TlsPostgres:
    """Start an empty PostgreSQL that takes encrypted connections with a certificate and a password alone."""
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    data, log = reachable / "tls-postgres", reachable / "tls-postgres.log"
    data.mkdir(mode=0o700)
    server = Files(*state.authority.issue("postgres"))
    given = {"ca.pem": state.authority.ca, "server.crt": server.certificate, "server.key": server.key}
    password = reachable / "tls-postgres.pw"
    password.touch(mode=0o600)
    password.write_text(state.secret("postgres_admin"))
    if user:
        for each in (data, password):
            os.chown(each, user.pw_uid, user.pw_gid)
    subprocess.run(
        [
            programs / "initdb",
            *("-D", data, "-U", "postgres", "-A", "scram-sha-256", "--pwfile", password),
            *("-E", "UTF8", "--locale=C.UTF-8", "--no-sync"),
        ],
        user=user.pw_uid if user else None,
        group=user.pw_gid if user else None,
        extra_groups=[] if user else None,
        cwd="/",
        check=True,
        capture_output=True,
    )
    for name, file in given.items():
        shutil.copy(file, data / name)
        (data / name).chmod(0o600)
        if user:
            os.chown(data / name, user.pw_uid, user.pw_gid)
    (data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca\n")
    options = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "port": str(state.ports.postgres),
        "max_connections": "150",
        "shared_buffers": "64MB",
        "timezone": "UTC",
        "fsync": "off",
        "ssl": "on",
        "ssl_ca_file": "ca.pem",
        "ssl_cert_file": "server.crt",
        "ssl_key_file": "server.key",
    }
    command: list[str | Path] = [
        programs / "postgres",
        *("-D", data),
        *(f"--{name}={value}" for name, value in options.items()),
    ]
    child = process.start(command, log=log, stop_signal=signal.SIGINT, dies_with_parent=True, user=user)
    postgres = TlsPostgres(
        child, port=state.ports.postgres, password=state.secret("postgres_admin"), data_dir=data, log=log
    )
    postgres.tls = state.operator
    if not postgres._becomes_ready():
        raise process.failure("PostgreSQL", log)
    return postgres
