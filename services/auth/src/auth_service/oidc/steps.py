"""What a sign-in through the provider is made of, from the wish to the arrival."""

import hashlib
from dataclasses import dataclass, field

from auth_service.credentials.opaque import Secret
from auth_service.credentials.vault import ThrottleSubject
from auth_service.oidc.claims import Proved
from auth_service.oidc.client import ClientRules


@dataclass(frozen=True)
class Begun:
    """A sign-in that is under way."""

    redirect_uri: str
    next_path: str


@dataclass(frozen=True)
class BeginSignIn:
    """The wish to sign in at the provider."""

    redirect_uri: str
    next_path: str
    client_address: str


@dataclass(frozen=True)
class CompleteSignIn:
    """What a browser brought back from the provider."""

    state: Secret
    code: str = field(repr=False)
    issuer: str
    browser_secret: Secret
    client_address: str


@dataclass(frozen=True)
class Departure:
    """Where a browser goes now, and its secret, told once."""

    authorization_url: str = field(repr=False)
    state: Secret
    browser_secret: Secret
    begun: Begun
    throttled: ThrottleSubject | None


@dataclass(frozen=True)
class Arrival:
    """Somebody whom the provider has vouched for, back at the browser that began."""

    client: ClientRules
    proved: Proved
    next_path: str
    client_address: str

    @property
    def identity_hash(self) -> bytes:
        """Who it is, as it is stored."""
        return name_hash(self.client, self.proved.subject)

    @property
    def sid_hash(self) -> bytes | None:
        """The provider's session, as it is stored."""
        return name_hash(self.client, self.proved.sid) if self.proved.sid else None


def name_hash(client: ClientRules, name: str) -> bytes:
    """What is stored of a name that the provider gives: it is good for that provider alone."""
    return hashlib.sha256(f"{client.issuer}\0{name}".encode(errors="surrogatepass")).digest()
