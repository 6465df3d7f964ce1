"""Who a process is on the wire, and whom it believes there: one CA, one certificate, one key, from its settings.

The same three files prove it to gRPC, NATS and Postgres. A certificate names its service twice: a server holds the
caller's token against `spiffe://aiops/<service>`, and a caller wants to see `<service>.aiops`, whatever the address.
Renewed files are taken up as they come; what is wrong with new ones is logged, and the old ones stay in use.
"""

import logging
import os
import ssl
import urllib.parse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, Self

import grpc
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from chassis.settings import SettingsInvalid

logger = logging.getLogger(__name__)

CA_VARIABLE = "AIOPS_TLS_CA_FILE"
_SUBJECT_NAMES = "x509_subject_alternative_name"
_POSTGRES_MODE = "verify-full"


class TlsSettings(Protocol):
    """What `chassis.settings` says about certificates."""

    @property
    def tls_ca_file(self) -> Path | None: ...  # noqa: D102 - see chassis.settings
    @property
    def tls_cert_file(self) -> Path | None: ...  # noqa: D102
    @property
    def tls_key_file(self) -> Path | None: ...  # noqa: D102


def identity_of(service: str) -> str:
    """What a service's certificate names it for those whom it calls."""
    return f"spiffe://aiops/{service}"


def server_name(service: str) -> str:
    """What a service's certificate names it for those who call it."""
    return f"{service}.aiops"


def proves(auth_context: Mapping[str, Iterable[bytes]], service: str) -> bool:
    """Whether the certificate at the other end of a connection is this service's, and nobody else's beside."""
    names = [name.decode(errors="replace") for name in auth_context.get(_SUBJECT_NAMES, ())]
    return [name for name in names if name.startswith("spiffe:")] == [identity_of(service)]


@dataclass(frozen=True)
class Material:
    """The contents of the three files, fit for each other when they were read."""

    ca: bytes
    certificate: bytes
    key: bytes


class Tls:
    """The certificates of one process."""

    def __init__(self, service: str, ca: Path, certificate: Path, key: Path) -> None:
        """Read the files once, and again whenever they have changed.

        Raises:
            SettingsInvalid: one cannot be used; it is named by its variable.
        """
        self.service = service
        self.ca, self.certificate, self.key = ca, certificate, key
        self._files = ca, certificate, key
        self._variables = {ca: CA_VARIABLE, **_own_variables(service, certificate, key)}
        self._seen = self._stamp()
        self.material = self._read()
        self.generation = 0
        """Rises each time that renewed files are taken up."""
        self._contexts: list[ssl.SSLContext] = []

    @classmethod
    def of(cls, service: str, settings: TlsSettings) -> Self | None:
        """The certificates that the settings name; None where they name none.

        Raises:
            SettingsInvalid: some are named and others are not, or one cannot be used.
        """
        ca, certificate, key = settings.tls_ca_file, settings.tls_cert_file, settings.tls_key_file
        if ca and certificate and key:
            return cls(service, ca, certificate, key)
        own = f"{service.upper()}_TLS_CERT_FILE", f"{service.upper()}_TLS_KEY_FILE"
        given = dict(zip((CA_VARIABLE, *own), (ca, certificate, key), strict=True))
        if missing := [name for name, file in given.items() if not file]:
            if len(missing) == len(given):
                return None
            raise SettingsInvalid(f"{' and '.join(missing)} must be set as well, or none of {', '.join(given)}")
        return None

    def renew(self) -> None:
        """Take up files that have changed, if they are fit; what is in use goes on."""
        try:
            stamp = self._stamp()
            if stamp == self._seen:
                return
            self._seen = stamp
            self.material = self._read()
        except SettingsInvalid as error:
            logger.warning("renewed certificates are not taken up: %s", error)  # and tried again once they change
            return
        self.generation += 1
        for context in self._contexts:
            self._load(context)
        logger.info("renewed certificates were taken up")

    def server_credentials(self) -> grpc.ServerCredentials:
        """For a gRPC server that talks to holders of our CA's certificates alone; renewed with each connection."""
        served = self.generation

        def configuration() -> grpc.ServerCertificateConfiguration:
            material = self.material
            return grpc.ssl_server_certificate_configuration([(material.key, material.certificate)], material.ca)

        def fetch() -> grpc.ServerCertificateConfiguration | None:
            nonlocal served
            self.renew()
            if served == self.generation:
                return None
            served = self.generation
            return configuration()

        return grpc.dynamic_ssl_server_credentials(
            configuration(),
            fetch,  # type: ignore[arg-type]  # None is for no change, as its documentation says
            require_client_authentication=True,
        )

    def channel(self, target: str, audience: str, options: Iterable[tuple[str, str | int]]) -> grpc.aio.Channel:
        """A channel to a service that proves to be this one, with the certificates of now."""
        material = self.material
        credentials = grpc.ssl_channel_credentials(material.ca, material.key, material.certificate)
        # The name belongs to the service and not to the address: no other one of ours can answer in its place.
        named = ("grpc.ssl_target_name_override", server_name(audience))
        return grpc.aio.secure_channel(target, credentials, [*options, named])

    def context(self) -> ssl.SSLContext:
        """For clients in Python; renewed certificates are loaded into it."""
        context = ssl.create_default_context(cafile=str(self.ca))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._load(context)
        self._contexts.append(context)
        return context

    def postgres_url(self, url: str, *, variable: str) -> str:
        """The address with what makes libpq check the server and show our certificate, where the address says nothing.

        libpq reads the files anew for each connection.

        Raises:
            SettingsInvalid: the address asks for less.
        """
        parts = urllib.parse.urlsplit(url)
        given = dict(urllib.parse.parse_qsl(parts.query))
        if given.get("sslmode", _POSTGRES_MODE) != _POSTGRES_MODE:
            raise SettingsInvalid(f"{variable} says sslmode={given['sslmode']}, but {CA_VARIABLE} is set: leave it out")
        ours = {
            "sslmode": _POSTGRES_MODE,
            "sslrootcert": str(self.ca),
            "sslcert": str(self.certificate),
            "sslkey": str(self.key),
        }
        return urllib.parse.urlunsplit(parts._replace(query=urllib.parse.urlencode({**ours, **given})))

    def _load(self, context: ssl.SSLContext) -> None:
        context.load_cert_chain(self.certificate, self.key)
        context.load_verify_locations(self.ca)

    def _stamp(self) -> tuple[tuple[int, int, int], ...]:
        return tuple((stat.st_mtime_ns, stat.st_size, stat.st_ino) for stat in map(self._stat, self._files))

    def _stat(self, file: Path) -> os.stat_result:
        try:
            return file.stat()
        except OSError as error:
            raise SettingsInvalid(f"{self._variables[file]}: {file} cannot be read: {error.strerror}") from None

    def _read(self) -> Material:
        ca, certificate, key = map(self._bytes, self._files)
        authorities = self._certificates(self.ca, ca)
        leaf, *intermediates = self._certificates(self.certificate, certificate)
        try:
            private = load_pem_private_key(key, password=None)
        except (ValueError, TypeError):
            raise self._unfit(self.key, "is no private key in PEM without a password") from None
        if private.public_key() != leaf.public_key():
            raise self._unfit(self.key, f"is not the key of {self.certificate}")
        now = datetime.now(UTC)
        for file, each in ((self.certificate, leaf), *((self.ca, authority) for authority in authorities)):
            if not each.not_valid_before_utc <= now <= each.not_valid_after_utc:
                between = f"{each.not_valid_before_utc:%Y-%m-%d %H:%M} to {each.not_valid_after_utc:%Y-%m-%d %H:%M}"
                raise self._unfit(file, f"is valid from {between} UTC, which is not now")
        if not _issued(leaf, intermediates, authorities):
            raise self._unfit(self.certificate, f"was not issued by the CA in {self.ca}")
        names = _names(leaf)
        for needed in (identity_of(self.service), server_name(self.service)):
            if needed not in names:
                raise self._unfit(self.certificate, f"does not name {needed} among its subject alternative names")
        return Material(ca, certificate, key)

    def _bytes(self, file: Path) -> bytes:
        try:
            return file.read_bytes()
        except OSError as error:
            raise self._unfit(file, f"cannot be read: {error.strerror}") from None

    def _certificates(self, file: Path, content: bytes) -> list[x509.Certificate]:
        try:
            return x509.load_pem_x509_certificates(content)
        except ValueError:
            raise self._unfit(file, "holds no certificate in PEM") from None

    def _unfit(self, file: Path, why: str) -> SettingsInvalid:
        return SettingsInvalid(f"{self._variables[file]}: {file} {why}")


def _own_variables(service: str, certificate: Path, key: Path) -> dict[Path, str]:
    return {certificate: f"{service.upper()}_TLS_CERT_FILE", key: f"{service.upper()}_TLS_KEY_FILE"}


def _names(certificate: x509.Certificate) -> set[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    return {*names.get_values_for_type(x509.DNSName), *names.get_values_for_type(x509.UniformResourceIdentifier)}


def _issued(leaf: x509.Certificate, intermediates: list[x509.Certificate], authorities: list[x509.Certificate]) -> bool:
    """Whether a chain leads from the certificate to one of the authorities."""
    last = leaf
    for issuer in (*intermediates, None):
        if any(_issues(authority, last) for authority in authorities):
            return True
        if issuer is None or not _issues(issuer, last):
            return False
        last = issuer
    return False


def _issues(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
