"""Opaque secrets: 256 random bits for the holder, a SHA-256 digest for us. Pure but for the randomness."""

import hashlib
import secrets
from dataclasses import dataclass, field

SECRET_BYTES = 32
_PREFIX_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
_PREFIX_CHARACTERS = 8


@dataclass(frozen=True)
class Secret:
    """A secret on its way to its holder: it is told once, and only its digest stays."""

    text: str = field(repr=False)

    @property
    def digest(self) -> bytes:
        """What is stored of it."""
        return digest(self.text)


def digest(text: str) -> bytes:
    """What is stored of a secret. A plain hash will do: 256 random bits cannot be guessed, however fast one hashes."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()


def new_secret() -> Secret:
    """A refresh, invitation or setup token."""
    return Secret(secrets.token_urlsafe(SECRET_BYTES))


def new_api_token() -> tuple[str, Secret]:
    """A machine's token `aiops_<prefix>_<secret>` and its first part, by which people recognise it in a list."""
    prefix = "aiops_" + "".join(secrets.choice(_PREFIX_ALPHABET) for _ in range(_PREFIX_CHARACTERS))
    return prefix, Secret(f"{prefix}_{secrets.token_hex(SECRET_BYTES)}")
