"""/v1/session: a browser's session, whose refresh token lies in a cookie that no script can read (docs/adr/0031)."""

import hashlib
import hmac
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC
from http import HTTPStatus
from uuid import uuid4

import orjson
from starlette.requests import Request
from starlette.responses import Response

from aiops.auth.v1 import auth_service_pb2 as pb
from aiops.auth.v1.user_pb2 import Session
from chassis.clock import Clock
from chassis.errors import DomainError, ErrorKind, Forbidden, IdempotencyKeyInvalid, InvalidArgument, Unauthenticated
from chassis.identity import Call, acting_as
from chassis.resilience.limiter import Limiter
from gateway.clients.auth import AuthCalls
from gateway.context import Caller
from gateway.doors.problem import problem
from gateway.graph.auth import Role
from gateway.graph.enums import name_or_none
from gateway.rates import DOOR_COST, Rates
from gateway.services import Services
from gateway.transports.body import BodyTooLarge, bounded, refuse_announced
from gateway.transports.origin import from_own_pages

logger = logging.getLogger(__name__)

SESSION_PATH = "/v1/session"
COOKIE = "aiops_refresh"
CSRF_HEADER = "x-aiops-csrf"
MAX_BODY_BYTES = 8_192
MIN_KEY_CHARACTERS = 16
NEVER_KEPT = {"cache-control": "no-store", "x-content-type-options": "nosniff"}

Begun = pb.LogInResponse | pb.RefreshSessionResponse


class SessionDoor:
    """Begins, continues and ends the session of the browser that asks."""

    def __init__(self, services: Services, clock: Clock, places: Limiter, rates: Rates, *, secure: bool) -> None:
        self._services = services
        self._clock = clock
        self._places = places
        self._rates = rates
        self._secure = secure

    async def begin(self, request: Request) -> Response:
        """Log in: 200, the access token and the person; the refresh token goes into the cookie."""
        return await self._answer(request, self._log_in)

    async def refresh(self, request: Request) -> Response:
        """Trade the cookie for the next access token and the next cookie."""
        return await self._answer(request, self._refresh)

    async def end(self, request: Request) -> Response:
        """Log out: 204, also for somebody who is logged out already."""
        return await self._answer(request, self._log_out)

    async def _answer(self, request: Request, act: Callable[[Request], Awaitable[Response]]) -> Response:
        try:
            _refuse_forged(request)
            self._rates.take(Caller(address=request.client.host if request.client else ""), DOOR_COST)
            with acting_as(Call("client", None, None, request.url.path, path=f"door {request.url.path}")):
                response = await act(request)
        except DomainError as error:
            response = _refused(error)
        response.headers.update(NEVER_KEPT)
        return response

    async def _log_in(self, request: Request) -> Response:
        email, password = await _credentials(request)
        auth = self._auth()
        given = pb.LogInRequest(
            idempotency_key=request.headers.get("idempotency-key") or str(uuid4()),
            email=email,
            password=password,
            client_address=request.client.host if request.client else "",
        )
        async with self._places.place():
            begun = await auth.call(auth.rpc.LogIn, given)
        return self._begun(begun)

    async def _refresh(self, request: Request) -> Response:
        token, auth = request.cookies.get(COOKIE, ""), self._auth()
        try:
            if not token:
                raise Unauthenticated("there is no session in this browser; log in")
            given = pb.RefreshSessionRequest(idempotency_key=_key_with(token, request), refresh_token=token)
            async with self._places.place():
                begun = await auth.call(auth.rpc.RefreshSession, given)
            return self._begun(begun)
        except DomainError as error:
            response = _refused(error)
            # Any other refusal may pass, and then the cookie is still good.
            if error.kind is ErrorKind.UNAUTHENTICATED:
                self._forget(response)
            return response

    async def _log_out(self, request: Request) -> Response:
        token, auth = request.cookies.get(COOKIE, ""), self._auth()
        if token:
            given = pb.LogOutRequest(idempotency_key=_key_with(token, request), refresh_token=token)
            async with self._places.place():
                await auth.call(auth.rpc.LogOut, given)
        response = Response(status_code=HTTPStatus.NO_CONTENT)
        self._forget(response)
        return response

    def _auth(self) -> AuthCalls:
        return AuthCalls(self._services.auth_client, self._services.auth)

    def _begun(self, begun: Begun) -> Response:
        session, user = begun.session, begun.user
        role = name_or_none(Role, user.role)
        body = {
            "accessToken": session.access_token,
            "accessTokenExpiresAt": session.access_token_expires_at.ToJsonString(),
            "user": {
                "id": user.id,
                "version": user.version,
                "email": user.email,
                "displayName": user.display_name,
                "role": role.name if role else None,
            },
        }
        response = Response(orjson.dumps(body), media_type="application/json")
        self.keep(response, session)
        return response

    def keep(self, response: Response, session: Session) -> None:
        """Put the refresh token of a session that has begun into the browser's cookie."""
        left = session.refresh_token_expires_at.ToDatetime(UTC) - self._clock.now()
        self._put(response, session.refresh_token, max(0, int(left.total_seconds())))

    def _forget(self, response: Response) -> None:
        self._put(response, "", 0)

    def _put(self, response: Response, token: str, seconds: int) -> None:
        response.set_cookie(
            COOKIE, token, max_age=seconds, path=SESSION_PATH, secure=self._secure, httponly=True, samesite="strict"
        )


def _refused(error: DomainError) -> Response:
    logger.info("session refused", extra={"code": error.reason})
    return problem(error, camel_case=True)


def _refuse_forged(request: Request) -> None:
    """Turn away what a page of another site may have sent along with this browser's cookie.

    Raises:
        Forbidden: it may have.
    """
    headers = request.headers
    if headers.get(CSRF_HEADER) != "1":
        raise Forbidden("send the header X-Aiops-Csrf: 1, which no form and no page of another site can send")
    if not from_own_pages(headers):
        raise Forbidden("this was sent by a page of another origin; open the dashboard under the gateway's own address")
    if headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise Forbidden("this was sent by a page of another site; open the dashboard under the gateway's own address")


async def _credentials(request: Request) -> tuple[str, str]:
    """E-mail address and password of a log-in.

    Raises:
        InvalidArgument: the body does not hold them.
    """
    try:
        refuse_announced(request, MAX_BODY_BYTES)
        given = orjson.loads(b"".join([chunk async for chunk in bounded(request.stream(), MAX_BODY_BYTES)]))
    except BodyTooLarge as error:
        raise InvalidArgument(f"the body may have at most {MAX_BODY_BYTES:,} bytes", field="body") from error
    except orjson.JSONDecodeError as error:
        raise InvalidArgument("the body is not valid JSON", field="body") from error
    email, password = (given.get(name) if isinstance(given, dict) else None for name in ("email", "password"))
    if not isinstance(email, str) or not isinstance(password, str):
        raise InvalidArgument('the body must be {"email": "...", "password": "..."}', field="body")
    return email, password


def _key_with(token: str, request: Request) -> str:
    """The idempotency key of this request with this token: a new one for a request that names none.

    The answer may be lost after the browser took the next cookie out of it. So the same key with the next token is the
    next request, and not a misuse of the key.

    Raises:
        IdempotencyKeyInvalid: it is so short that two may be the same by chance.
    """
    given = request.headers.get("idempotency-key")
    if given is None:
        return str(uuid4())
    if len(given) < MIN_KEY_CHARACTERS:
        raise IdempotencyKeyInvalid(
            f"send an Idempotency-Key of at least {MIN_KEY_CHARACTERS} characters, a new random one for each refresh"
        )
    return hmac.new(token.encode(), given.encode(), hashlib.sha256).hexdigest()
