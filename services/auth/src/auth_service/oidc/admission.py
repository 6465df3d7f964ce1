"""Whom the provider's word lets in, as whom, and for how long. None of it commits; the caller's `UnitOfWork` does."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

from auth_service import store
from auth_service.credentials import authority, vault
from auth_service.credentials.issued import IssuedSession
from auth_service.credentials.opaque import digest
from auth_service.credentials.signing import Signer
from auth_service.credentials.vault import ThrottleSubject
from auth_service.domain import (
    MAXIMUM_NAME_CHARACTERS,
    RevocationCause,
    Role,
    Session,
    User,
    UserSignedUp,
    UserStatus,
    check_display_name,
    check_email,
)
from auth_service.errors import (
    EmailTaken,
    EmailUnverified,
    LogoutTokenInvalid,
    NoRoleForGroups,
    SignInExpired,
    UserDeactivated,
)
from auth_service.oidc import records
from auth_service.oidc.claims import LoggedOut, Proved
from auth_service.oidc.records import Identity
from auth_service.oidc.steps import Arrival
from auth_service.usecases import issue, revoke
from chassis.db import UnitOfWork, WriteTx
from chassis.errors import InvalidArgument
from chassis.ids import uuid7

_LOGGER = logging.getLogger(__name__)

LOGOUTS_KEPT_FOR = timedelta(hours=1)
"""Longer than a logout token is taken, and than a sign-in takes."""


async def admit(arrival: Arrival, signer: Signer, tx: WriteTx) -> IssuedSession:
    """Start a session for whom the provider vouches for, with the role that his groups give him now.

    Raises:
        NoRoleForGroups: they give him none; see `access_ends_without_role`.
        EmailUnverified: he is new, and the provider does not vouch for his address.
        EmailTaken: the address belongs to somebody else of the provider.
        UserDeactivated: an admin closed the account.
        LastAdmin: his groups make him less than admin, and nobody else is one.
        SignInExpired: the provider has ended this sign-in meanwhile.
    """
    proved = arrival.proved
    role = arrival.client.role_of(proved.groups)
    if role is None:
        raise NoRoleForGroups
    await records.hold_logouts(tx, alone=False)
    if await records.was_logged_out(tx, arrival.identity_hash, arrival.sid_hash, since=proved.issued_at):
        raise SignInExpired
    admins = await store.lock_active_admins(tx)
    identity = await records.find_identity(tx, arrival.identity_hash)
    user = await (_known(identity, role, tx) if identity else _first_sign_in(arrival, role, tx))
    user = await _with_role(user, role, admins, tx)
    session = Session(uuid7(), 1, user.id, tx.now, tx.now + arrival.client.session_lifetime)
    await store.add_session(tx, session)
    await records.add_provider_session(tx, session.id, arrival.identity_hash, arrival.sid_hash)
    if arrival.client_address:
        await vault.give_back(tx, ThrottleSubject("address", f"sign-in:{arrival.client_address}"))
    detail = {"through": "provider", "session_id": str(session.id)}
    await store.record(tx, "log_in.succeeded", user.id, client_address=arrival.client_address, detail=detail)
    return await issue(user, session, 1, signer, tx)


async def _known(identity: Identity, role: Role, tx: WriteTx) -> User:
    user = await store.get_user_for_update(tx, identity.user_id)
    if user.status is not UserStatus.DEACTIVATED:
        return user
    if not identity.closed_the_user:
        raise UserDeactivated
    reopened, fact = user.reopened(role, tx.now)
    await store.save_user(tx, reopened, expected_version=user.version)
    await records.save_closed(tx, identity, closed=False)
    tx.changed(user, reopened, fact)
    await store.record(tx, "user.reopened", user.id, detail={"role": role, "through": "provider"})
    return reopened


async def _first_sign_in(arrival: Arrival, role: Role, tx: WriteTx) -> User:
    """The account of somebody who has not signed in through the provider before: his own, the invited one, or a new."""
    try:
        email = check_email(arrival.proved.email)
    except InvalidArgument as error:
        raise EmailUnverified from error
    # Who may choose his address at the provider would else get the account, or the name, of somebody else.
    if not arrival.proved.email_verified:
        raise EmailUnverified
    found = await store.find_user(tx, email)
    user = await store.get_user_for_update(tx, found.id) if found else None
    if user is None:
        user = await _new_account(arrival.proved, email, role, tx)
    elif user.status is UserStatus.DEACTIVATED:
        raise UserDeactivated
    elif user.status is UserStatus.INVITED:
        user = await _invited(user, arrival.proved, tx)
    identity = Identity(arrival.identity_hash, user.id, made_the_user=found is None, closed_the_user=False)
    if not await records.add_identity(tx, identity):
        raise EmailTaken("this e-mail address belongs to another person of the provider; ask an admin")
    await store.record(tx, "user.linked", user.id, detail={"through": "provider"})
    return user


async def _new_account(proved: Proved, email: str, role: Role, tx: WriteTx) -> User:
    user = User(uuid7(), 1, email, _name(proved, email), role, UserStatus.ACTIVE, tx.now, tx.now)
    if not await store.add_user(tx, user):
        raise EmailTaken("this e-mail address belongs to an account; sign in again")
    tx.changed(None, user, UserSignedUp(user.id, user.version, user.role))
    await store.record(tx, "user.signed_up", user.id, detail={"role": role, "through": "provider"})
    return user


async def _invited(invited: User, proved: Proved, tx: WriteTx) -> User:
    user, fact = invited.accepted(_name(proved, invited.email), tx.now)
    await store.save_user(tx, user, expected_version=invited.version)
    tx.changed(invited, user, fact)
    await store.record(tx, "user.signed_up", user.id, detail={"role": user.role, "through": "provider"})
    return user


async def _with_role(user: User, role: Role, admins: frozenset[UUID], tx: WriteTx) -> User:
    if user.role is role:
        return user
    changed, fact = user.given(role, tx.now)
    authority.keep_an_admin(admins, changed)
    await store.save_user(tx, changed, expected_version=user.version)
    tx.changed(user, changed, fact)
    detail = {"previous_role": user.role, "role": role, "through": "provider"}
    await store.record(tx, "user.role_set", user.id, detail=detail)
    return changed


@asynccontextmanager
async def access_ends_without_role(unit_of_work: UnitOfWork, arrival: Arrival) -> AsyncIterator[None]:
    """Around an admission: who has no group with a role any more loses what he had, in a second transaction.

    His sessions from the provider end, and an account that came from there is closed; the last admin's stays open.

    Raises:
        NoRoleForGroups: that happened.
    """
    try:
        yield
    except NoRoleForGroups as refusal:
        async with unit_of_work.begin() as tx:
            detail = {"reason": refusal.reason, "through": "provider"}
            admins = await store.lock_active_admins(tx)
            identity = await records.find_identity(tx, arrival.identity_hash)
            whose = identity.user_id if identity else None
            await store.record(tx, "log_in.failed", whose, client_address=arrival.client_address, detail=detail)
            if identity:
                await _shut_out(identity, admins, tx)
        raise


async def _shut_out(identity: Identity, admins: frozenset[UUID], tx: WriteTx) -> None:
    user = await store.get_user_for_update(tx, identity.user_id)
    if identity.made_the_user and user.status is UserStatus.ACTIVE and admins != {user.id}:
        closed, fact = user.deactivated(tx.now)
        await store.save_user(tx, closed, expected_version=user.version)
        await records.save_closed(tx, identity, closed=True)
        tx.changed(user, closed, fact)
        await store.record(tx, "user.deactivated", user.id, detail={"cause": "no_role_for_groups"})
    for session_id in await records.open_provider_sessions(tx, identity.hash, None):
        session = await store.get_session_for_update(tx, session_id)
        if session.revoked_at is None:
            await revoke(session, RevocationCause.USER_DEACTIVATED, tx)


async def end_sessions(told: LoggedOut, identity_hash: bytes | None, sid_hash: bytes | None, tx: WriteTx) -> int:
    """End what the provider has ended; how many sessions that were.

    Raises:
        LogoutTokenInvalid: this very token came before.
    """
    await records.hold_logouts(tx, alone=True)
    if not await records.add_logout(tx, digest(told.jti), identity_hash, sid_hash, told.issued_at):
        raise LogoutTokenInvalid
    ended = 0
    for session_id in await records.open_provider_sessions(tx, identity_hash, sid_hash):
        session = await store.get_session_for_update(tx, session_id)
        if session.revoked_at is None:
            await revoke(session, RevocationCause.LOGGED_OUT, tx)
            ended += 1
    _LOGGER.info("the sign-in provider ended sessions", extra={"ended": ended})
    return ended


async def forget_past(tx: WriteTx) -> None:
    """Delete sign-ins that were never completed, and logouts that nothing can repeat any more."""
    await records.forget_past(tx, logouts_kept_for=LOGOUTS_KEPT_FOR)


def _name(proved: Proved, email: str) -> str:
    """The name as the provider has it, as far as it can be shown."""
    shown = "".join(each for each in proved.display_name if each.isprintable())
    return check_display_name(shown[:MAXIMUM_NAME_CHARACTERS], email)
