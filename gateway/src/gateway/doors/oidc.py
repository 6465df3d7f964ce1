"""/v1/session/oidc: the way to the organisation's OpenID provider and back (docs/adr/0047).

Auth decides all of it. This door moves a browser, keeps its secret in a cookie for as long as the way takes, and puts
the session where a log-in would.
"""

import logging
from collections.abc import Awaitable, Callable
from datetime import UTC
from http import HTTPStatus
from urllib.parse import parse_qs, quote
from uuid import uuid4

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from aiops.auth.v1 import auth_service_pb2 as pb
from chassis.clock import Clock
from chassis.errors import DomainError, ErrorKind
from chassis.identity import Call, acting_as
from chassis.resilience.limiter import Limiter
from gateway.clients.auth import AuthCalls
from gateway.context import Caller
from gateway.doors.problem import problem
from gateway.doors.session import NEVER_KEPT, SESSION_PATH, SessionDoor
from gateway.rates import DOOR_COST, Rates
from gateway.services import Services
from gateway.transports.body import BodyTooLarge, bounded, refuse_announced

logger = logging.getLogger(__name__)

OIDC_PATH = f"{SESSION_PATH}/oidc"
LOGIN_PAGE = "/login"
MAX_BODY_BYTES = 70_000
REJECTED = "SIGN_IN_REJECTED"
# The address of the way back holds the code; no page that comes after it needs to know.
_QUIET = {**NEVER_KEPT, "referrer-policy": "no-referrer"}


class OidcDoor:
    """Sends a browser to the provider, takes it back, and hears from the provider who has logged out there."""

    def __init__(
        self,
        services: Services,
        clock: Clock,
        places: Limiter,
        rates: Rates,
        sessions: SessionDoor,
        *,
        public_url: str,
        secure: bool,
    ) -> None:
        self._services = services
        self._clock = clock
        self._places = places
        self._rates = rates
        self._sessions = sessions
        self._redirect_uri = f"{public_url}{OIDC_PATH}/callback" if public_url else ""
        # Only a host of ours can set a cookie with this prefix; it wants the path of everything.
        self._cookie = "__Host-aiops_sign_in" if secure else "aiops_sign_in"
        self._secure = secure

    async def provider(self, request: Request) -> Response:
        """What people call the provider: null where there is none."""

        async def ask(auth: AuthCalls) -> Response:
            name = (await auth.call(auth.rpc.GetSignInProvider, pb.GetSignInProviderRequest())).name
            return _json({"name": (name or None) if self._redirect_uri else None})

        return await self._answer(request, ask, lambda error: problem(error, camel_case=True))

    async def start(self, request: Request) -> Response:
        """303 to the provider."""

        async def go(auth: AuthCalls) -> Response:
            if not self._redirect_uri:
                return _back_to_log_in("SIGN_IN_NOT_SET_UP")
            begun = await auth.call(
                auth.rpc.BeginSignIn,
                pb.BeginSignInRequest(
                    idempotency_key=str(uuid4()),
                    redirect_uri=self._redirect_uri,
                    next_path=request.query_params.get("next", ""),
                    client_address=_address(request),
                ),
            )
            response = _see(begun.authorization_url)
            left = begun.expires_at.ToDatetime(UTC) - self._clock.now()
            self._remember(response, begun.browser_secret, max(0, int(left.total_seconds())))
            return response

        return await self._answer(request, go, _refused)

    async def callback(self, request: Request) -> Response:
        """303 to where the person wanted to go, in a session; or to the log-in page, with why not."""

        async def come(auth: AuthCalls) -> Response:
            given = request.query_params
            if "error" in given:
                return _back_to_log_in(REJECTED)
            done = await auth.call(
                auth.rpc.CompleteSignIn,
                pb.CompleteSignInRequest(
                    idempotency_key=str(uuid4()),
                    state=given.get("state", ""),
                    code=given.get("code", ""),
                    issuer=given.get("iss", ""),
                    browser_secret=request.cookies.get(self._cookie, ""),
                    client_address=_address(request),
                ),
            )
            response = _see(done.next_path)
            self._sessions.keep(response, done.session)
            return response

        response = await self._answer(request, come, _refused)
        self._remember(response, "", 0)
        return response

    async def log_out(self, request: Request) -> Response:
        """What the provider posts when somebody logs out there (OpenID Connect Back-Channel Logout 1.0, 2.5)."""

        async def end(auth: AuthCalls) -> Response:
            try:
                refuse_announced(request, MAX_BODY_BYTES)
                body = b"".join([chunk async for chunk in bounded(request.stream(), MAX_BODY_BYTES)])
                tokens = parse_qs(body.decode("ascii"), max_num_fields=20).get("logout_token", [])
            except (BodyTooLarge, ValueError):
                tokens = []
            if len(tokens) != 1:
                return _json({"error": "invalid_request"}, HTTPStatus.BAD_REQUEST)
            request_ = pb.EndProviderSessionsRequest(idempotency_key=str(uuid4()), logout_token=tokens[0])
            await auth.call(auth.rpc.EndProviderSessions, request_)
            return Response(status_code=HTTPStatus.OK)

        def refuse(error: DomainError) -> Response:
            if error.kind in {ErrorKind.INVALID, ErrorKind.NOT_FOUND}:
                return _json({"error": "invalid_request"}, HTTPStatus.BAD_REQUEST)
            return problem(error)

        return await self._answer(request, end, refuse)

    async def _answer(
        self,
        request: Request,
        act: Callable[[AuthCalls], Awaitable[Response]],
        refuse: Callable[[DomainError], Response],
    ) -> Response:
        try:
            self._rates.take(Caller(address=_address(request)), DOOR_COST)
            with acting_as(Call("client", None, None, request.url.path)):
                async with self._places.place():
                    response = await act(AuthCalls(self._services.auth_client, self._services.auth))
        except DomainError as error:
            logger.info("sign-in refused", extra={"code": error.reason})
            response = refuse(error)
        response.headers.update(_QUIET)
        return response

    def _remember(self, response: Response, secret: str, seconds: int) -> None:
        # Lax: the browser comes back from another site.
        response.set_cookie(
            self._cookie, secret, max_age=seconds, path="/", secure=self._secure, httponly=True, samesite="lax"
        )


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _see(location: str) -> Response:
    return RedirectResponse(location, HTTPStatus.SEE_OTHER)


def _back_to_log_in(reason: str) -> Response:
    return _see(f"{LOGIN_PAGE}?refused={quote(reason)}")


def _refused(error: DomainError) -> Response:
    return _back_to_log_in(error.reason)


def _json(body: dict[str, str | None], status: int = HTTPStatus.OK) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")
