"""Certificates from settings: what is wrong with one is said at start, and who calls is who its certificate names."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from answering import RULES, SERVICE, unary
from cryptography import x509
from google.protobuf.wrappers_pb2 import StringValue

from chassis.errors import ErrorKind, RemoteError, Unavailable
from chassis.identity import ServiceIdentity, Trust
from chassis.metrics import Metrics
from chassis.policy import Policy
from chassis.rpc.client import Client
from chassis.rpc.server import listen, make_server
from chassis.settings import SettingsInvalid
from chassis.testing.certificates import Authority
from chassis.testing.harness import Installation
from chassis.tls import Tls, proves


@dataclass(frozen=True)
class Settings:
    tls_ca_file: Path | None = None
    tls_cert_file: Path | None = None
    tls_key_file: Path | None = None


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "pki")


def tls_of(authority: Authority, service: str, ca: Path | None = None) -> Tls:
    return Tls(service, ca or authority.ca, *authority.service(service))


def test_without_certificates_there_is_no_tls() -> None:
    assert Tls.of("parcels", Settings()) is None


def test_all_files_are_named_or_none(authority: Authority) -> None:
    certificate, key = authority.service("parcels")

    with pytest.raises(SettingsInvalid, match=r"^PARCELS_TLS_KEY_FILE must be set as well, or none of AIOPS_TLS_CA"):
        Tls.of("parcels", Settings(authority.ca, certificate))
    with pytest.raises(SettingsInvalid, match=r"^AIOPS_TLS_CA_FILE must be set as well"):
        Tls.of("parcels", Settings(None, certificate, key))
    with pytest.raises(SettingsInvalid, match=r"^PARCELS_TLS_CERT_FILE and PARCELS_TLS_KEY_FILE must be set as well"):
        Tls.of("parcels", Settings(authority.ca))


def test_a_file_that_cannot_be_used_is_named(authority: Authority, tmp_path: Path) -> None:
    certificate, key = authority.service("parcels")
    other = Authority(tmp_path / "other")
    foreign, foreign_key = other.service("parcels")
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("-----BEGIN NONSENSE-----")
    old, old_key = Authority(tmp_path / "old").service("parcels", valid_hours=(-3, -1))

    for ca, cert, secret, said in (
        (tmp_path / "none.pem", certificate, key, r"^AIOPS_TLS_CA_FILE: .*none.pem cannot be read: No such file"),
        (nonsense, certificate, key, r"^AIOPS_TLS_CA_FILE: .*nonsense.pem holds no certificate in PEM$"),
        (authority.ca, nonsense, key, r"^PARCELS_TLS_CERT_FILE: .* holds no certificate in PEM$"),
        (authority.ca, certificate, nonsense, r"^PARCELS_TLS_KEY_FILE: .* is no private key in PEM without a password"),
        (authority.ca, certificate, foreign_key, r"^PARCELS_TLS_KEY_FILE: .* is not the key of .*parcels.crt$"),
        (authority.ca, foreign, foreign_key, r"^PARCELS_TLS_CERT_FILE: .* was not issued by the CA in .*ca.pem$"),
        (authority.ca, old, old_key, r"^PARCELS_TLS_CERT_FILE: .* is valid from .* UTC, which is not now$"),
    ):
        with pytest.raises(SettingsInvalid, match=said):
            Tls("parcels", ca, cert, secret)


@pytest.mark.parametrize("missing", ["spiffe://aiops/parcels", "parcels.aiops"])
def test_a_certificate_names_its_service_twice(authority: Authority, missing: str) -> None:
    name = (
        x509.DNSName("parcels.aiops") if "//" in missing else x509.UniformResourceIdentifier("spiffe://aiops/parcels")
    )
    certificate, key = authority.issue("parcels", [name])

    with pytest.raises(SettingsInvalid, match=rf"^PARCELS_TLS_CERT_FILE: .* does not name {missing} among"):
        Tls("parcels", authority.ca, certificate, key)


def test_postgres_is_asked_for_nothing_less(authority: Authority) -> None:
    tls = tls_of(authority, "parcels")

    url = tls.postgres_url("postgresql://p:s%40cret@db:5432/aiops?connect_timeout=3", variable="PARCELS_DATABASE_URL")

    files = "&".join(
        f"{name}={str(file).replace('/', '%2F')}"
        for name, file in (("sslrootcert", tls.ca), ("sslcert", tls.certificate), ("sslkey", tls.key))
    )
    assert url == f"postgresql://p:s%40cret@db:5432/aiops?sslmode=verify-full&{files}&connect_timeout=3"
    with pytest.raises(SettingsInvalid, match=r"^PARCELS_DATABASE_URL says sslmode=require, but AIOPS_TLS_CA_FILE"):
        tls.postgres_url("postgresql://p@db/aiops?sslmode=require", variable="PARCELS_DATABASE_URL")


def test_one_identity_proves_one_service() -> None:
    names = [b"parcels.aiops", b"spiffe://aiops/parcels", b"127.0.0.1"]

    assert proves({"x509_subject_alternative_name": names}, "parcels")
    assert not proves({"x509_subject_alternative_name": names}, "depot")
    assert not proves({"x509_subject_alternative_name": [*names, b"spiffe://aiops/depot"]}, "parcels")
    assert not proves({"x509_subject_alternative_name": [b"parcels.aiops"]}, "parcels")
    assert not proves({}, "parcels")


@asynccontextmanager
async def serving(installation: Installation, tls: Tls, *, prove_peers: bool = True) -> AsyncIterator[str]:
    """The made-up service under mutual TLS; its target."""
    server = make_server(
        "parcels",
        trust=Trust.from_file(installation.folder / "trust.json"),
        access_tokens=installation.access_tokens(),
        policy=Policy(RULES, lambda _call, message: message),
        metrics=Metrics(),
        prove_peers=prove_peers,
    )

    async def echo(request: StringValue, _context: object) -> StringValue:
        return request

    codec = (StringValue.FromString, StringValue.SerializeToString)
    handlers = {"Greet": grpc.unary_unary_rpc_method_handler(echo, *codec)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    port = listen(server, "127.0.0.1:0", tls)
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(0)


async def greet(client: Client) -> str:
    try:
        answer: StringValue = await client.call(unary(client, "Greet"), StringValue(value="hi"), timeout_seconds=3)
        return answer.value
    finally:
        await client.close()


def caller(installation: Installation, name: str, tls: Tls | None, *, audience: str = "parcels") -> ServiceIdentity:
    return ServiceIdentity(name, installation._keys[name], tls=tls)


async def test_a_service_is_called_by_holders_of_our_certificates_alone(
    installation: Installation, authority: Authority, tmp_path: Path
) -> None:
    gateway, other = tls_of(authority, "gateway"), Authority(tmp_path / "other")
    stranger = tls_of(other, "gateway")
    stranger.material = type(stranger.material)(  # he believes our CA, and we do not believe his
        authority.ca.read_bytes(), stranger.material.certificate, stranger.material.key
    )

    async with serving(installation, tls_of(authority, "parcels")) as target:
        answered = await greet(Client(target, "parcels", caller(installation, "gateway", gateway)))
        for tls in (None, stranger, tls_of(other, "gateway")):
            with pytest.raises(Unavailable):
                await greet(Client(target, "parcels", caller(installation, "gateway", tls)))

    assert answered == "hi"


async def test_no_other_service_answers_in_its_place(installation: Installation, authority: Authority) -> None:
    gateway = caller(installation, "gateway", tls_of(authority, "gateway"))

    async with serving(installation, tls_of(authority, "depot")) as target:
        with pytest.raises(Unavailable):
            await greet(Client(target, "parcels", gateway))


async def test_a_token_counts_on_the_connection_of_its_service_alone(
    installation: Installation, authority: Authority
) -> None:
    depot = tls_of(authority, "depot")

    async with serving(installation, tls_of(authority, "parcels")) as target:
        with pytest.raises(RemoteError, match="certificate is not that of gateway") as refused:
            await greet(Client(target, "parcels", caller(installation, "gateway", depot)))

    assert refused.value.kind is ErrorKind.UNAUTHENTICATED


async def test_renewed_files_are_taken_up_by_both_ends(
    installation: Installation, authority: Authority, tmp_path: Path
) -> None:
    """The whole CA changes under running processes: only ends that both took up the new one understand each other."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for folder in (ours, theirs):
        folder.mkdir()

    def put(made: Authority) -> None:
        for folder, service in ((ours, "gateway"), (theirs, "parcels")):
            for name, file in zip(("ca", "crt", "key"), (made.ca, *made.service(service)), strict=True):
                shutil.copy(file, folder / f"{name}.new")
                (folder / f"{name}.new").replace(folder / name)

    put(authority)
    server = Tls("parcels", theirs / "ca", theirs / "crt", theirs / "key")
    gateway = Tls("gateway", ours / "ca", ours / "crt", ours / "key")
    async with serving(installation, server) as target:
        client = Client(target, "parcels", caller(installation, "gateway", gateway))
        method = unary(client, "Greet")
        first = await client.call(method, StringValue(value="before"), timeout_seconds=3)

        put(Authority(tmp_path / "new"))
        second = await client.call(method, StringValue(value="after"), timeout_seconds=3)
        stale = tls_of(authority, "gateway")
        with pytest.raises(Unavailable):
            await greet(Client(target, "parcels", caller(installation, "gateway", stale)))
        await client.close()

    assert (first.value, second.value) == ("before", "after")
    assert (server.generation, gateway.generation) == (1, 1)


async def test_unfit_new_files_leave_the_old_ones_in_use(
    installation: Installation, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    server, gateway = tls_of(authority, "parcels"), tls_of(authority, "gateway")
    async with serving(installation, server) as target:
        server.key.write_text("half a fi")

        answered = await greet(Client(target, "parcels", caller(installation, "gateway", gateway)))

    assert answered == "hi"
    assert server.generation == 0
    assert "PARCELS_TLS_KEY_FILE" in caplog.text
