"""A throwaway certificate authority: what mutual TLS is tested with."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from chassis.tls import identity_of, server_name


class Authority:
    """A certificate authority with its key in memory; `ca` is its certificate's file."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.ca = folder / f"{name}.pem"
        self._key = generate_private_key(SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"throwaway {name}")])
        now = datetime.now(UTC)
        made = _builder(self._name, self._name, self._key, now - timedelta(hours=1), now + timedelta(days=1))
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self._write(self.ca, made.sign(self._key, SHA256()).public_bytes(Encoding.PEM))

    def service(self, service: str, *, valid_hours: tuple[float, float] = (-1, 24)) -> tuple[Path, Path]:
        """Certificate and key of a service, as production's are: both its names, and 127.0.0.1 for servers."""
        names = [x509.UniformResourceIdentifier(identity_of(service)), x509.DNSName(server_name(service))]
        return self.issue(service, names, valid_hours=valid_hours)

    def issue(
        self, common_name: str, names: Sequence[x509.GeneralName] = (), *, valid_hours: tuple[float, float] = (-1, 24)
    ) -> tuple[Path, Path]:
        """Certificate and key with these alternative names; those of an earlier one of the same name are replaced."""
        key, now = generate_private_key(SECP256R1()), datetime.now(UTC)
        begin, end = (now + timedelta(hours=hours) for hours in valid_hours)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        made = _builder(subject, self._name, key, begin, end)
        here = x509.IPAddress(ip_address("127.0.0.1"))
        made = made.add_extension(x509.SubjectAlternativeName([*names, here]), critical=False)
        usage = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        made = made.add_extension(x509.ExtendedKeyUsage(usage), critical=False)
        certificate, secret = self.folder / f"{common_name}.crt", self.folder / f"{common_name}.key"
        self._write(certificate, made.sign(self._key, SHA256()).public_bytes(Encoding.PEM))
        self._write(secret, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return certificate, secret

    @staticmethod
    def _write(file: Path, content: bytes) -> None:
        """Put the new in the place of the old at once, as a mounted Secret changes."""
        fresh = file.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_bytes(content)
        fresh.replace(file)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: EllipticCurvePrivateKey, begin: datetime, end: datetime
) -> x509.CertificateBuilder:
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    return made.serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(end)
