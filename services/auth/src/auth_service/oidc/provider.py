"""The provider over HTTP: its discovery document, its keys, and the exchange of a code. All of it lazily and bounded.

Nothing here is asked at start: who signs in with a password does not need the provider.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, Key, OKPKey, RSAKey

from auth_service.errors import SignInRejected
from auth_service.oidc.client import ClientRules, is_private
from chassis.clock import Clock
from chassis.errors import Unavailable

_LOGGER = logging.getLogger(__name__)

TIMEOUT_SECONDS = 5.0
KEPT_SECONDS = 600.0
"""How long discovery document and keys are taken as they are, and longer while the provider is away."""
LOOK_AGAIN_SECONDS = 10.0
"""How soon unknown keys make us look again: tokens that anybody can write must not make us flood the provider."""
MAXIMUM_BYTES = 1_000_000
MAXIMUM_KEYS = 100
MINIMUM_RSA_BITS = 2048


@dataclass(frozen=True)
class Discovery:
    """What the provider's discovery document says, as far as it concerns us."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    tells_issuer: bool
    """Whether `iss` comes back beside each code (RFC 9207)."""
    takes_secret_in_header: bool


class Provider:
    """The one provider of the installation."""

    def __init__(self, rules: ClientRules, clock: Clock) -> None:
        self._rules = rules
        self._clock = clock
        self._discovery: Discovery | None = None
        self._keys: Sequence[Key] = ()
        self._discovered_at = self._keys_at = float("-inf")

    async def discovery(self) -> Discovery:
        """Where things are.

        Raises:
            Unavailable: the provider cannot be reached, and was not reached before.
            SignInRejected: what it says of itself is not what the settings say.
        """
        now = self._clock.monotonic()
        if self._discovery is None or now - self._discovered_at >= KEPT_SECONDS:
            try:
                address = f"{self._rules.issuer.rstrip('/')}/.well-known/openid-configuration"
                self._discovery = _discovery_from(await _asked("GET", address), self._rules.issuer)
            except Unavailable:
                if self._discovery is None:
                    raise
            self._discovered_at = now
        return self._discovery

    async def keys_for(self, kid: str) -> Sequence[Key]:
        """The keys that the provider publishes, looked for again when there is none of this id.

        Raises:
            Unavailable: they cannot be had.
            SignInRejected: they cannot be used.
        """
        age = self._clock.monotonic() - self._keys_at
        known = any(not kid or key.kid == kid for key in self._keys)
        if age >= KEPT_SECONDS or (not known and age >= LOOK_AGAIN_SECONDS):
            address = (await self.discovery()).jwks_uri
            try:
                self._keys = _keys_from(await _asked("GET", address))
            except Unavailable:
                if not known:
                    raise
            self._keys_at = self._clock.monotonic()
        return self._keys

    async def exchange(self, code: str, verifier: str, redirect_uri: str) -> tuple[str, str]:
        """The id token and the access token for a code.

        Raises:
            Unavailable: the provider cannot be reached.
            SignInRejected: it does not take the code.
        """
        discovery = await self.discovery()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
            "client_id": self._rules.client_id,
        }
        credentials = None
        if self._rules.client_secret and discovery.takes_secret_in_header:
            credentials = httpx.BasicAuth(_quoted(self._rules.client_id), _quoted(self._rules.client_secret))
        elif self._rules.client_secret:
            form["client_secret"] = self._rules.client_secret
        answer = await _asked("POST", discovery.token_endpoint, form, credentials)
        id_token, access_token = answer.get("id_token"), answer.get("access_token")
        if not isinstance(id_token, str) or not isinstance(access_token, str):
            raise SignInRejected("the provider gave no id token; is the scope `openid` among AUTH_OIDC_SCOPES?")
        return id_token, access_token


def _quoted(text: str) -> str:
    """As RFC 6749, 2.3.1 wants the parts of the header."""
    return str(httpx.QueryParams({"": text}))[1:]


def _discovery_from(document: Mapping[str, Any], issuer: str) -> Discovery:
    if document.get("issuer") != issuer:
        raise SignInRejected("the provider calls itself otherwise than AUTH_OIDC_ISSUER; write it exactly as it does")
    found = [document.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
    authorization, token, jwks = (each if isinstance(each, str) and is_private(each) else "" for each in found)
    if not (authorization and token and jwks):
        raise SignInRejected("the provider's discovery document lacks an endpoint, or has one without https")
    methods = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    return Discovery(
        authorization,
        token,
        jwks,
        tells_issuer=document.get("authorization_response_iss_parameter_supported") is True,
        takes_secret_in_header=isinstance(methods, list) and "client_secret_basic" in methods,
    )


def _keys_from(document: Mapping[str, Any]) -> Sequence[Key]:
    """The keys for signatures; others, and such as we cannot read, are passed over."""
    keys: list[Key] = []
    published = document.get("keys")
    for given in published[:MAXIMUM_KEYS] if isinstance(published, list) else ():
        # A shared secret has no place among public keys, and would let everybody sign.
        if not isinstance(given, dict) or given.get("kty") not in {"RSA", "EC", "OKP"}:
            continue
        if given.get("use", "sig") != "sig":
            continue
        try:
            key = JWKRegistry.import_key(given)
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        if isinstance(key, RSAKey) and key.public_key.key_size < MINIMUM_RSA_BITS:
            continue
        if isinstance(key, RSAKey | ECKey | OKPKey):
            keys.append(key)
    return keys


async def _asked(
    method: str, url: str, form: Mapping[str, str] | None = None, credentials: httpx.Auth | None = None
) -> Mapping[str, Any]:
    """A JSON object of the provider; redirects are not followed, and neither is more read than makes sense.

    Raises:
        Unavailable: there is no answer.
        SignInRejected: the answer is a refusal, or no JSON object.
    """
    answer = b""
    try:
        async with (
            httpx.AsyncClient(timeout=TIMEOUT_SECONDS, follow_redirects=False) as http,
            http.stream(method, url, data=form, auth=credentials, headers={"accept": "application/json"}) as response,
        ):
            async for chunk in response.aiter_bytes():
                answer += chunk
                if len(answer) > MAXIMUM_BYTES:
                    raise SignInRejected("the provider's answer is too large")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        _LOGGER.warning("the sign-in provider cannot be reached: %s", type(error).__name__)
        raise Unavailable(
            "the sign-in provider cannot be reached; try again in a moment, or use a password", dependency="provider"
        ) from error
    if response.is_server_error or response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        raise Unavailable(dependency="provider")
    if not response.is_success:
        _LOGGER.warning("the sign-in provider refused", extra={"status": response.status_code})
        raise SignInRejected(f"the provider refused with status {response.status_code}")
    try:
        document = orjson.loads(answer)
    except orjson.JSONDecodeError as error:
        raise SignInRejected("the provider's answer is no JSON") from error
    if not isinstance(document, dict):
        raise SignInRejected("the provider's answer is no JSON object")
    return document
