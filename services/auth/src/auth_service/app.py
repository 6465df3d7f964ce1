"""Puts auth together: settings, runtime, servicer, schedules, service. The only file that knows every other."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path

import grpc
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aiops.auth.v1.auth_service_pb2 import DESCRIPTOR
from aiops.auth.v1.auth_service_pb2_grpc import add_AuthServiceServicer_to_server
from aiops.identity.v1.identity_service_pb2_grpc import add_IdentityServiceServicer_to_server
from auth_service import consumers, queries
from auth_service.audited import SIGHTINGS
from auth_service.convert import fact_to_event
from auth_service.credentials import upkeep
from auth_service.credentials.passwords import PasswordHasher
from auth_service.credentials.setup_file import SetupTokenFile
from auth_service.credentials.signing import KeySealer
from auth_service.credentials.verification import PasswordVerification
from auth_service.documents import HISTORIES
from auth_service.domain import AccountRules
from auth_service.oidc import admission
from auth_service.oidc.client import ClientRules, roles_from
from auth_service.oidc.sign_in import SignIn
from auth_service.policy import make_policy
from auth_service.queries import KeyRing
from auth_service.rpc import AuthServicer
from auth_service.settings import AuthSettings
from chassis.clock import Clock
from chassis.db import UnitOfWork, WriteTx
from chassis.identity import AccessTokens
from chassis.revocations import Revocation, Revocations
from chassis.runtime import Runtime
from chassis.service import Schedule, Service
from chassis.settings import SettingsInvalid

UPKEEP_SECONDS = 3600.0


def build(
    settings: AuthSettings | None = None, *, clock: Clock | None = None, access_tokens: AccessTokens | None = None
) -> Service:
    """The auth service as its settings want it.

    Raises:
        SettingsInvalid: it cannot be built with them.
    """
    settings = settings or AuthSettings()

    async def own_keys() -> str:
        return await keys.jwks()

    async def own_revocations(cursor: str) -> tuple[Sequence[Revocation], str]:
        async with runtime.database.read() as tx:
            return await queries.list_revocations(cursor, tx)

    runtime = Runtime(
        "auth",
        settings,
        clock=clock,
        to_event=fact_to_event,
        package="auth_service",
        histories=HISTORIES,
        # Its own keys, and what it revoked, are in its own database: no way through HTTP or NATS.
        access_tokens=access_tokens or AccessTokens(own_keys, Revocations(own_revocations), clock),
    )
    sealer = _key_sealer(settings.key_encryption_file)
    keys = KeyRing(runtime.database, sealer, runtime.clock)
    setup_file = SetupTokenFile(settings.setup_token_file)
    rules = AccountRules(
        signup=settings.signup,
        session_lifetime=timedelta(days=settings.session_days),
        invitation_lifetime=timedelta(days=settings.invitation_days),
    )
    hasher = PasswordHasher(settings.bcrypt_cost)
    servicer = AuthServicer(
        database=runtime.database,
        unit_of_work=runtime.unit_of_work,
        verification=PasswordVerification(runtime.unit_of_work, hasher, rules),
        keys=keys,
        setup_file=setup_file,
        rules=rules,
        sign_in=SignIn(_client_rules(settings), runtime.unit_of_work, runtime.clock),
    )

    async def serve_jwks(_: Request) -> Response:
        return Response(await keys.jwks(), media_type="application/json", headers={"cache-control": "max-age=60"})

    async def open_key() -> None:
        try:
            await keys.signer()
        except ValueError as error:
            raise SettingsInvalid(str(error)) from error

    rotate_after = timedelta(days=settings.signing_key_days)
    keep_keys = _in_transaction(runtime.unit_of_work, lambda tx: upkeep.keep_signing_keys(sealer, rotate_after, tx))
    offer_setup = _in_transaction(runtime.unit_of_work, lambda tx: upkeep.offer_setup_token(setup_file, tx))
    return Service(
        runtime=runtime,
        policy=make_policy(),
        servicer=servicer,
        sightings=SIGHTINGS,
        register=_register,
        service_name=DESCRIPTOR.services_by_name["AuthService"].full_name,
        subscriptions=consumers.subscriptions(),
        schedules=(
            Schedule("keep-signing-keys", UPKEEP_SECONDS, keep_keys),
            Schedule("forget-expired", UPKEEP_SECONDS, _in_transaction(runtime.unit_of_work, upkeep.forget_expired)),
            Schedule("forget-sign-ins", UPKEEP_SECONDS, _in_transaction(runtime.unit_of_work, admission.forget_past)),
        ),
        routes=(Route("/.well-known/jwks.json", serve_jwks, methods=["GET"]),),
        startup=(keep_keys, open_key, offer_setup),
    )


def _register(servicer: AuthServicer, server: grpc.aio.Server) -> None:
    add_AuthServiceServicer_to_server(servicer, server)
    add_IdentityServiceServicer_to_server(servicer, server)


def _key_sealer(path: Path) -> KeySealer:
    try:
        return KeySealer.from_file(path)
    except (OSError, ValueError) as error:
        raise SettingsInvalid(f"AUTH_KEY_ENCRYPTION_FILE cannot be used: {error}") from error


def _client_rules(settings: AuthSettings) -> ClientRules | None:
    if not settings.oidc_issuer:
        return None
    file = settings.oidc_client_secret_file
    try:
        secret = file.read_text().strip() if file else ""
    except (OSError, ValueError) as error:
        raise SettingsInvalid(f"AUTH_OIDC_CLIENT_SECRET_FILE cannot be used: {error}") from error
    return ClientRules(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=secret,
        name=settings.oidc_name,
        scopes=settings.oidc_scopes,
        groups_claim=settings.oidc_groups_claim,
        verified_claim=settings.oidc_verified_claim,
        roles=roles_from(settings.oidc_roles),
        session_lifetime=timedelta(hours=settings.oidc_session_hours),
    )


def _in_transaction(
    unit_of_work: UnitOfWork, work: Callable[[WriteTx], Awaitable[None]]
) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        async with unit_of_work.begin() as tx:
            await work(tx)

    return run
