"""The whole stack under mutual TLS: it does its job, and whoever lacks the right certificate is refused everywhere."""

import os
import ssl
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nats
import psycopg
import pytest
from google.protobuf.empty_pb2 import Empty
from rich.console import Console
from tests.fault.installation import Installation, free_offset, running
from tests.integration.tls_stack import Files, TlsStack, TlsState

from aiops.auth.v1.auth_service_pb2 import LogOutRequest
from aiops.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from chassis.errors import ErrorKind, RemoteError, Unavailable
from chassis.identity import ServiceIdentity
from chassis.rpc.client import Client
from chassis.testing.certificates import Authority
from chassis.tls import Tls
from postgres import PostgresMissing, find_postgres
from smoke import Command, check_log, check_ticket, log_in
from state import SERVICES, Ports

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> TlsState:
    return TlsState(tmp_path_factory.mktemp("tls") / "state", Ports(free_offset()))


@pytest.fixture(scope="module")
def installation(state: TlsState) -> Iterator[Installation]:
    stack = TlsStack(state, split=False, console=Console(quiet=True))
    try:
        stack.programs = find_postgres()
    except PostgresMissing as missing:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(missing))
    with tempfile.TemporaryDirectory(prefix="aiops-tls-") as folder:
        stack.reachable = Path(folder)
        stack.reachable.chmod(0o755)
        made = Installation(state, stack, {"AUTH_BCRYPT_COST": "4"}, {})
        with running(made):
            yield made


def caller(state: TlsState, name: str, files: Files | None, ca: Path | None = None) -> ServiceIdentity:
    """A process that signs as `name`, on connections with the certificate of whoever these files name."""
    tls = None
    if files:
        tls = Tls(files.certificate.stem, ca or state.authority.ca, files.certificate, files.key)
    return ServiceIdentity.from_file(name, state.path("keys", f"{name}.pem"), tls)


def test_the_main_job_works(installation: Installation, tmp_path: Path) -> None:
    command = Command(installation.url, str(tmp_path))
    email, password = installation.admin

    log_in(command, email, password, setup_token_file="", wait_seconds=10)

    check_ticket(command, check_log(command))


def test_every_connection_to_postgres_shows_its_certificate(installation: Installation, state: TlsState) -> None:
    assert installation.stack.postgres is not None
    query = (
        "SELECT a.usename, s.ssl, s.client_dn FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid)"
        " WHERE a.application_name LIKE 'aiops-%'"
    )
    with psycopg.connect(installation.stack.postgres.admin_url) as admin:
        found = admin.execute(query).fetchall()

    assert {user for user, _, _ in found} == {f"{service}_app" for service in SERVICES}
    assert {(user, True, f"/CN={user.removesuffix('_app')}") for user, _, _ in found} == set(found)


async def log_out(state: TlsState, identity: ServiceIdentity) -> None:
    """An RPC that changes nothing here and is open to the gateway without a viewer."""
    client = Client(f"127.0.0.1:{state.ports.grpc('auth')}", "auth", identity)
    try:
        await client.call(AuthServiceStub(client.channel).LogOut, LogOutRequest(), timeout_seconds=5)
    finally:
        await client.close()


async def test_grpc_takes_our_certificates_alone(installation: Installation, state: TlsState, tmp_path: Path) -> None:
    other = Authority(tmp_path / "pki")
    foreign = Files(*other.service("gateway"))
    stranger = caller(state, "gateway", foreign, ca=other.ca)
    assert stranger.tls is not None
    # He believes us, so that it is we who refuse him.
    stranger.tls.material = type(stranger.tls.material)(
        state.authority.ca.read_bytes(), foreign.certificate.read_bytes(), foreign.key.read_bytes()
    )

    with pytest.raises(RemoteError) as ours:
        await log_out(state, caller(state, "gateway", state.files["gateway"]))
    for refused in (caller(state, "gateway", None), stranger):
        with pytest.raises(Unavailable):
            await log_out(state, refused)

    assert ours.value.kind is ErrorKind.INVALID  # it was heard: an empty token is no refresh token


@pytest.mark.parametrize("service", SERVICES)
async def test_no_service_takes_a_token_on_another_ones_connection(
    installation: Installation, state: TlsState, service: str
) -> None:
    thief = next(name for name in SERVICES if name != service)
    client = Client(f"127.0.0.1:{state.ports.grpc(service)}", service, caller(state, "gateway", state.files[thief]))
    path = {"logs": "aiops.logs.v1.LogsService/GetLog", "auth": "aiops.auth.v1.AuthService/LogOut"}
    method = client.channel.unary_unary(
        f"/{path.get(service, 'aiops.operations.v1.OperationsService/ListDeadLetters')}",
        request_serializer=Empty.SerializeToString,
        response_deserializer=Empty.FromString,
    )

    with pytest.raises(RemoteError, match="certificate is not that of gateway") as refused:
        await client.call(method, Empty(), timeout_seconds=5)
    await client.close()

    assert refused.value.kind is ErrorKind.UNAUTHENTICATED


async def test_nats_takes_nobody_without_a_certificate(installation: Installation, state: TlsState) -> None:
    believing = ssl.create_default_context(cafile=str(state.authority.ca))
    options = {
        "user": "gateway",
        "password": state.secret("nats_gateway"),
        "inbox_prefix": b"_INBOX_gateway",
        "allow_reconnect": False,
        "connect_timeout": 5,
    }
    ours = Tls("gateway", state.authority.ca, state.files["gateway"].certificate, state.files["gateway"].key)
    address = f"127.0.0.1:{state.ports.nats}"

    connected = await nats.connect(f"tls://{address}", tls=ours.context(), tls_handshake_first=True, **options)
    assert connected.is_connected
    await connected.close()
    with pytest.raises((nats.errors.Error, OSError, TimeoutError)):
        await nats.connect(f"tls://{address}", tls=believing, tls_handshake_first=True, **options)
    with pytest.raises((nats.errors.Error, OSError, TimeoutError)):
        await nats.connect(f"nats://{address}", **options)


def test_postgres_takes_nobody_without_a_certificate(installation: Installation, state: TlsState) -> None:
    url = state.plain_database_url("logs_app")  # with the right password
    other = state.operator.postgres_url(url, variable="URL")

    psycopg.connect(other).close()
    with pytest.raises(psycopg.OperationalError, match="requires a valid client certificate"):
        psycopg.connect(f"{url}?sslmode=verify-full&sslrootcert={state.authority.ca}&sslcert=/none&sslkey=/none")
    with pytest.raises(psycopg.OperationalError, match=r"no pg_hba\.conf entry for host .*no encryption"):
        psycopg.connect(f"{url}?sslmode=disable")
