"""Puts the gateway together: settings, services, operations, transports, doors. The only file that knows the others."""

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.requests import Request
from starlette.responses import Response

from chassis.clock import Clock, SystemClock
from chassis.errors import Internal
from chassis.identity import AccessTokens, ServiceIdentity
from chassis.metrics import Metrics
from chassis.redaction import Redactor
from chassis.resilience.limiter import Lateness, Limiter
from chassis.revocations import Revocations, client_for, from_auth
from chassis.rpc.client import Client
from chassis.settings import SettingsInvalid
from chassis.tls import Tls
from gateway.auth import Authenticator
from gateway.doors.oidc import OIDC_PATH, OidcDoor
from gateway.doors.problem import problem
from gateway.doors.session import SESSION_PATH, SessionDoor
from gateway.doors.upload import UploadDoor
from gateway.graphiql import graphiql_routes
from gateway.live import ChangeFeed
from gateway.operations import OPERATION_METRICS, Operations
from gateway.pages import Pages
from gateway.process import Gateway
from gateway.rates import Rates
from gateway.services import Services
from gateway.settings import GatewaySettings
from gateway.transports.http import GraphQLOverHttp
from gateway.transports.websocket import GraphQLOverWebSocket

# Spans and logs are the chassis's: FastAPI's would begin a trace of their own and log what exceptions say.
NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "operation_spans": False}


def build(
    settings: GatewaySettings | None = None,
    *,
    clock: Clock | None = None,
    access_tokens: AccessTokens | None = None,
    change_feed: ChangeFeed | None = None,
) -> Gateway:
    """The gateway as its settings want it; build it inside the event loop.

    Raises:
        SettingsInvalid: it cannot be built with them.
    """
    settings, clock, change_feed = settings or GatewaySettings(), clock or SystemClock(), change_feed or ChangeFeed()
    development = settings.environment == "development"
    try:
        identity = ServiceIdentity.from_file("gateway", settings.key_file, Tls.of("gateway", settings))
        redactor = Redactor(settings.redaction_key_file.read_bytes().strip())
    except (OSError, ValueError, TypeError) as error:
        raise SettingsInvalid(f"a file named in the settings cannot be used: {error}") from error

    metrics = Metrics(OPERATION_METRICS)
    services = Services.at(settings, identity, metrics)
    asking = client_for(settings.auth_target, identity, metrics)
    access_tokens = access_tokens or _access_tokens(settings, services, asking, clock)
    authenticator = Authenticator(access_tokens, services, clock)
    lateness = Lateness()
    requests = Limiter("requests", settings.max_requests, lateness=lateness, metrics=metrics)
    uploads = Limiter("uploads", settings.max_uploads, metrics=metrics)
    rates = Rates(settings)
    operations = Operations(settings, services, change_feed, metrics, requests=requests, rates=rates)
    over_http = GraphQLOverHttp(operations, authenticator)
    over_websocket = GraphQLOverWebSocket(operations, authenticator, clock)
    upload_door = UploadDoor(services, authenticator, uploads, rates)
    session_door = SessionDoor(services, clock, requests, rates, secure=not development)
    oidc_door = OidcDoor(
        services, clock, requests, rates, session_door, public_url=settings.public_url, secure=not development
    )

    # The pages that FastAPI offers load scripts from other hosts.
    app = FastAPI(title="AI Ops Assistant", docs_url=None, redoc_url=None, openapi_url=None, telemetry=NO_TELEMETRY)
    app.add_exception_handler(Exception, _defect)
    app.add_api_route("/graphql", over_http.post, methods=["POST"], response_model=None)
    app.add_api_websocket_route("/graphql", over_websocket.connect)
    app.add_api_route("/v1/logs/upload", upload_door.post, methods=["POST"], response_model=None)
    app.add_api_route(SESSION_PATH, session_door.begin, methods=["POST"], response_model=None)
    app.add_api_route(f"{SESSION_PATH}/refresh", session_door.refresh, methods=["POST"], response_model=None)
    app.add_api_route(SESSION_PATH, session_door.end, methods=["DELETE"], response_model=None)
    app.add_api_route(OIDC_PATH, oidc_door.provider, methods=["GET"], response_model=None)
    app.add_api_route(f"{OIDC_PATH}/start", oidc_door.start, methods=["GET"], response_model=None)
    app.add_api_route(f"{OIDC_PATH}/callback", oidc_door.callback, methods=["GET"], response_model=None)
    app.add_api_route(f"{OIDC_PATH}/logout", oidc_door.log_out, methods=["POST"], response_model=None)
    if development:
        app.router.routes.extend(graphiql_routes())
    if settings.dashboard_folder:
        # Not a route: one for every path would answer for the methods that the routes above do not take.
        app.router.default = Pages(settings.dashboard_folder)

    return Gateway(
        settings=settings,
        redactor=redactor,
        metrics=metrics,
        services=services,
        change_feed=change_feed,
        operations=operations,
        lateness=lateness,
        over_websocket=over_websocket,
        revocations=access_tokens.revocations,
        asking=asking,
        app=app,
        tls=identity.tls,
    )


def _access_tokens(settings: GatewaySettings, services: Services, asking: Client, clock: Clock) -> AccessTokens:
    revocations = Revocations(from_auth(asking, "gateway"), hears=True)
    if settings.tls_ca_file:
        return AccessTokens.over_rpc(services.auth_client, revocations, clock)
    return AccessTokens.over_http(settings.jwks_url, revocations, clock)


async def _defect(_request: Request, _error: Exception) -> Response:
    """Say nothing of our insides; `gateway.process.Guarded` logs them."""
    return problem(Internal())
