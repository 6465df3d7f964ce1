"""What an installation makes for itself before anything runs: keys, passwords, whom to believe. Knows no service."""

import json
import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm


def new_password() -> str:
    """A password or token of 192 random bits that a URL takes as it is."""
    return secrets.token_urlsafe(24)


def new_key() -> str:
    """256 random bits as 64 hexadecimal digits: what the redaction key and the key encryption key are."""
    return secrets.token_hex(32)


def new_private_key() -> str:
    """The PEM text of a new Ed25519 key, with which a process proves itself to others."""
    return (
        Ed25519PrivateKey.generate()
        .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        .decode()
    )


def public_jwk(private_key: str) -> dict[str, str]:
    """The public half of a PEM text, as the trust file has it.

    Raises:
        ValueError: that is no Ed25519 key.
    """
    key = serialization.load_pem_private_key(private_key.encode(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("this is no Ed25519 key")  # noqa: TRY004 - a matter of the text, not of its type
    jwk: dict[str, str] = json.loads(OKPAlgorithm.to_jwk(key.public_key()))
    return jwk


def write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    temporary = path.with_name(f"{path.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    temporary.replace(path)
