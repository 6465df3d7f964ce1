"""The slow half of a sign-in, outside of any transaction: what the provider is asked, and whether its word is good.

A secret of the browser proves that it is the one that began. PKCE verifier and nonce follow from the secret and the
state, so a code of another sign-in is refused by the provider, and its id token by us.
"""

import base64
import hashlib
import hmac
import logging
import re
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import httpx

from auth_service import store
from auth_service.credentials import vault
from auth_service.credentials.opaque import Secret, new_secret
from auth_service.credentials.throttle import ADDRESS_THROTTLE
from auth_service.credentials.vault import ThrottleSubject
from auth_service.credentials.verification import known_address
from auth_service.errors import LogoutTokenInvalid, SignInExpired, SignInNotSetUp, SignInRejected
from auth_service.oidc import records
from auth_service.oidc.claims import LoggedOut, Proved, check_id_token, check_logout_token, header_of
from auth_service.oidc.client import ClientRules
from auth_service.oidc.provider import Provider
from auth_service.oidc.steps import Arrival, BeginSignIn, Begun, CompleteSignIn, Departure, name_hash
from chassis.clock import Clock
from chassis.db import UnitOfWork, WriteTx
from chassis.errors import InvalidArgument

_LOGGER = logging.getLogger(__name__)

SIGN_IN_LIFETIME = timedelta(minutes=10)
MAXIMUM_PATH_CHARACTERS = 1000
# A path of ours and nothing that a browser might take for another host: no `//`, no backslash, no control character.
_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")


class SignIn:
    """Signs people in through the provider, if there is one."""

    def __init__(self, client: ClientRules | None, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._client = client
        self._provider = Provider(client, clock) if client else None
        self._uow = unit_of_work
        self._clock = clock

    @property
    def provider_name(self) -> str:
        """What people call the provider; empty when there is none."""
        return self._client.name if self._client else ""

    async def depart(self, command: BeginSignIn) -> Departure:
        """Where to send the browser.

        Raises:
            SignInNotSetUp: there is no provider.
            InvalidArgument: the path is none of ours.
            Unavailable: the provider cannot be reached.
            SignInRejected: the provider is not set up as the settings say.
        """
        client, provider = self._both()
        next_path = _own_path(command.next_path)
        discovery = await provider.discovery()
        state, browser_secret = new_secret(), new_secret()
        challenge = hashlib.sha256(_derived(browser_secret, state, "verifier").encode()).digest()
        url = httpx.URL(discovery.authorization_endpoint).copy_merge_params({
            "response_type": "code",
            "client_id": client.client_id,
            "redirect_uri": command.redirect_uri,
            "scope": client.scopes,
            "state": state.text,
            "nonce": _derived(browser_secret, state, "nonce"),
            "code_challenge": _base64url(challenge),
            "code_challenge_method": "S256",
        })  # fmt: skip
        address = known_address(command.client_address)
        throttled = ThrottleSubject("address", f"sign-in:{address}") if address else None
        return Departure(str(url), state, browser_secret, Begun(command.redirect_uri, next_path), throttled)

    async def arrive(self, command: CompleteSignIn) -> Arrival:
        """Who is back. The sign-in is used up before the provider is asked, so a second try with it finds nothing.

        Raises:
            SignInNotSetUp: there is no provider.
            SignInExpired: the sign-in is unknown, over, or of another browser.
            SignInRejected: the provider's word is no good.
            Unavailable: the provider cannot be reached.
        """
        client, provider = self._both()
        address = known_address(command.client_address)
        try:
            begun, proved = await self._vouched(command, client, provider)
        except (SignInExpired, SignInRejected) as refusal:
            _LOGGER.warning("sign-in failed: %s", refusal.message, extra={"reason": refusal.reason})
            async with self._uow.begin() as tx:
                detail = {"reason": refusal.reason, "through": "provider"}
                await store.record(tx, "log_in.failed", None, client_address=address, detail=detail)
            raise
        return Arrival(client, proved, begun.next_path, address)

    async def _vouched(self, command: CompleteSignIn, client: ClientRules, provider: Provider) -> tuple[Begun, Proved]:
        async with self._uow.begin() as tx:
            begun = await records.consume_sign_in(tx, command.state.digest, command.browser_secret.digest)
        if begun is None:
            raise SignInExpired
        tells_issuer = (await provider.discovery()).tells_issuer
        # RFC 9207: a code of another provider must not be taken to ours.
        if command.issuer != client.issuer and (tells_issuer or command.issuer):
            raise SignInRejected("the code comes from another provider (iss)")
        verifier = _derived(command.browser_secret, command.state, "verifier")
        id_token, access_token = await provider.exchange(command.code, verifier, begun.redirect_uri)
        proved = check_id_token(
            id_token,
            await provider.keys_for(header_of(id_token)[1]),
            client,
            nonce=_derived(command.browser_secret, command.state, "nonce"),
            access_token=access_token,
            now=self._clock.now(),
        )
        return begun, proved

    async def heed(self, logout_token: str) -> tuple[LoggedOut, bytes | None, bytes | None]:
        """Whose sessions the provider wants ended, and how subject and session are stored.

        Raises:
            SignInNotSetUp: there is no provider.
            LogoutTokenInvalid: the token is no good.
            Unavailable: the provider's keys cannot be had.
        """
        client, provider = self._both()
        try:
            keys = await provider.keys_for(header_of(logout_token)[1])
            told = check_logout_token(logout_token, keys, client, now=self._clock.now())
        except SignInRejected as refusal:
            _LOGGER.warning("a logout token was refused: %s", refusal.message)
            raise LogoutTokenInvalid from refusal
        subject, sid = (name_hash(client, name) if name else None for name in (told.subject, told.sid))
        return told, subject, sid

    def _both(self) -> tuple[ClientRules, Provider]:
        if self._client is None or self._provider is None:
            raise SignInNotSetUp
        return self._client, self._provider


async def begin_sign_in(departure: Departure, tx: WriteTx) -> datetime:
    """Store a sign-in that begins; until when it can be completed.

    Raises:
        TooManyAttempts: too many from this address.
    """
    if departure.throttled:
        throttle = await vault.get_throttle_for_update(tx, departure.throttled)
        await vault.save_throttle(tx, departure.throttled, throttle.counted(ADDRESS_THROTTLE, tx.now))
    expires_at = tx.now + SIGN_IN_LIFETIME
    await records.add_sign_in(tx, departure.state.digest, departure.browser_secret.digest, departure.begun, expires_at)
    return expires_at


def _own_path(path: str) -> str:
    path = path or "/"
    if len(path) > MAXIMUM_PATH_CHARACTERS or not _PATH.fullmatch(path) or urlsplit(path).netloc:
        raise InvalidArgument("next must be a path of this installation, such as /logs", field="next_path")
    return path


def _derived(browser_secret: Secret, state: Secret, purpose: str) -> str:
    return _base64url(hmac.digest(browser_secret.text.encode(), f"{purpose}:{state.text}".encode(), "sha256"))


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
