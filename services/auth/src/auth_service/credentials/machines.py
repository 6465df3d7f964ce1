"""What auth does for machines: the use cases of API tokens. They do not commit either."""

from auth_service import store
from auth_service.credentials import authority, vault
from auth_service.credentials.api_token import (
    ApiToken,
    ApiTokenCreated,
    CreateApiToken,
    RevokeApiToken,
    check_scopes,
    check_service_account_name,
)
from auth_service.credentials.issued import IssuedApiToken
from auth_service.credentials.opaque import Secret, new_api_token
from auth_service.credentials.signing import AccessToken, Signer
from auth_service.errors import ApiTokenInvalid
from chassis.db import WriteTx, guard_version
from chassis.errors import InvalidArgument
from chassis.ids import uuid7


async def create_api_token(command: CreateApiToken, tx: WriteTx) -> IssuedApiToken:
    """Make a credential for a machine, and its service account when the name is new.

    Raises:
        Forbidden: the actor is no active admin any more.
        InvalidArgument: name or scopes are malformed, or the token would be expired already.
    """
    await authority.require_admin(tx)
    if command.expires_at is not None and command.expires_at <= tx.now:
        raise InvalidArgument("this must be in the future, or absent for never", field="expires_at")
    account = await vault.ensure_service_account(tx, check_service_account_name(command.service_account_name))
    prefix, secret = new_api_token()
    scopes = check_scopes(command.scopes)
    token = ApiToken(uuid7(), 1, account, scopes, prefix, created_at=tx.now, expires_at=command.expires_at)
    await vault.add_api_token(tx, token, secret.digest)
    tx.publish(ApiTokenCreated(token.id, token.version, account.id, scopes))
    detail = {"service_account": account.name, "scopes": sorted(scopes)}
    await store.record(tx, "api_token.created", token.id, detail=detail)
    return IssuedApiToken(token, secret)


async def revoke_api_token(command: RevokeApiToken, tx: WriteTx) -> ApiToken:
    """End a machine's credential; one that was ended before stays as it is.

    Raises:
        Forbidden: the actor is no active admin any more.
        ApiTokenNotFound: no token has this id.
        VersionConflict: the token was changed since the actor read it.
    """
    await authority.require_admin(tx)
    token = await vault.get_api_token_for_update(tx, command.api_token_id)
    guard_version(expected=command.expected_version, actual=token.version, kind="api_token", id=token.id)
    if token.revoked_at is not None:
        return token
    revoked, fact = token.revoked(tx.now)
    await vault.save_revoked_api_token(tx, revoked)
    tx.publish(fact)
    await store.record(tx, "api_token.revoked", token.id)
    return revoked


async def exchange_api_token(presented: Secret, signer: Signer, tx: WriteTx) -> AccessToken:
    """An access token of 60 seconds for an API token. Its use is noted to the minute, and is no change of it.

    Raises:
        ApiTokenInvalid: the token is unknown, revoked or expired.
    """
    token = await vault.find_api_token(tx, presented.digest)
    if token is None or not token.is_good(tx.now):
        raise ApiTokenInvalid
    await vault.touch_api_token(tx, token.id, tx.now.replace(second=0, microsecond=0))
    return signer.for_machine(token, tx.now)
