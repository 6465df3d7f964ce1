"""What auth does: one function per write. None commits; the caller's `UnitOfWork` does.

Passwords were hashed and checked before (`credentials.verification`); here it is checked that this is still so.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from auth_service import store
from auth_service.credentials import authority, vault
from auth_service.credentials.issued import Invited, IssuedSession
from auth_service.credentials.opaque import Secret, digest, new_secret
from auth_service.credentials.signing import Signer
from auth_service.credentials.verification import (
    AdmittedSignUp,
    PreparedPasswordChange,
    VerifiedLogIn,
    account_throttle,
    closed,
    wrong_setup_token,
)
from auth_service.domain import (
    AccountRules,
    DeactivateUser,
    InviteUser,
    RevocationCause,
    Role,
    Session,
    SetUserRole,
    SignUp,
    SignUpMode,
    User,
    UserInvited,
    UserSignedUp,
    UserStatus,
    check_display_name,
    check_email,
    email_key,
)
from auth_service.errors import (
    CredentialsInvalid,
    EmailTaken,
    InvitationInvalid,
    RefreshTokenReused,
    SessionRevoked,
)
from chassis.db import UnitOfWork, WriteTx, guard_version
from chassis.errors import Unauthenticated
from chassis.ids import uuid7

_LOGGER = logging.getLogger(__name__)


async def sign_up(admitted: AdmittedSignUp, rules: AccountRules, tx: WriteTx) -> User:
    """Make an account: the first one with the setup token and as admin, later ones as AUTH_SIGNUP says.

    Raises:
        SetupTokenInvalid: the first account needs the setup token, and later ones have none.
        SignUpClosed: the installation takes no accounts this way.
        InvitationInvalid: the invitation is not good, or not for this address.
        EmailTaken: the address belongs to an account.
    """
    invited = None
    if admitted.command.invitation_token and not admitted.command.setup_token:
        invited = await _invited(admitted.command, rules, tx)
        user = await _take_up_invitation(invited, admitted.command, tx)
    else:
        user = await _make_account(admitted.command, rules, tx)
    await store.put_password_hash(tx, user.id, admitted.password_hash)
    tx.changed(invited, user, UserSignedUp(user.id, user.version, user.role))
    await store.record(tx, "user.signed_up", user.id, detail={"role": user.role})
    return user


async def _make_account(command: SignUp, rules: AccountRules, tx: WriteTx) -> User:
    role = None
    if command.setup_token or not await store.is_set_up(tx):
        # One UPDATE decides: of two first sign-ups the second finds the token used.
        if not await store.consume_setup(tx, digest(command.setup_token)):
            raise wrong_setup_token(is_set_up=await store.is_set_up(tx))
        role = Role.ADMIN
    elif rules.signup is not SignUpMode.OPEN:
        raise closed(rules.signup)
    email = check_email(command.email)
    name = check_display_name(command.display_name, email)
    user = User(uuid7(), 1, email, name, role, UserStatus.ACTIVE, tx.now, tx.now)
    if not await store.add_user(tx, user):
        raise EmailTaken("this e-mail address belongs to an account; log in instead")
    return user


async def _invited(command: SignUp, rules: AccountRules, tx: WriteTx) -> User:
    """Whom the invitation of a sign-up is for; it is used up."""
    if rules.signup is SignUpMode.CLOSED:
        raise closed(rules.signup)
    user_id = await store.consume_invitation(tx, digest(command.invitation_token))
    if user_id is None:
        raise InvitationInvalid
    invited = await store.get_user_for_update(tx, user_id)
    if invited.status is not UserStatus.INVITED or email_key(invited.email) != email_key(command.email):
        raise InvitationInvalid
    return invited


async def _take_up_invitation(invited: User, command: SignUp, tx: WriteTx) -> User:
    user, _ = invited.accepted(check_display_name(command.display_name or invited.display_name, invited.email), tx.now)
    await store.save_user(tx, user, expected_version=invited.version)
    return user


async def log_in(verified: VerifiedLogIn, signer: Signer, rules: AccountRules, tx: WriteTx) -> IssuedSession:
    """Start a session for somebody whose password was right.

    Raises:
        CredentialsInvalid: password or account were changed in the meantime.
    """
    user = await store.find_user_steady(tx, verified.user_id)
    unchanged = await store.get_password_hash(tx, verified.user_id) == verified.password_hash
    if user is None or not unchanged or user.status is not UserStatus.ACTIVE:
        raise CredentialsInvalid
    if verified.rehashed is not None:
        await store.put_password_hash(tx, user.id, verified.rehashed)
    for subject in verified.throttled:
        await (vault.forgive if subject.kind == "account" else vault.give_back)(tx, subject)
    session = Session(uuid7(), 1, user.id, tx.now, tx.now + rules.session_lifetime)
    await store.add_session(tx, session)
    await store.record(tx, "log_in.succeeded", user.id, client_address=verified.client_address)
    return await issue(user, session, 1, signer, tx)


async def refresh_session(presented: Secret, signer: Signer, tx: WriteTx) -> IssuedSession:
    """Trade a refresh token in for the next pair; of any number of racing requests one gets it.

    Raises:
        Unauthenticated: the token is unknown, or its session has expired.
        SessionRevoked: the session is over.
        VersionConflict: the token was traded in a moment ago by another request; use the pair that it got.
        RefreshTokenReused: the token was traded in before that; see `reuse_ends_session`.
    """
    found = await store.find_session_of(tx, presented.digest)
    if found is None:
        raise Unauthenticated("this refresh token is unknown; log in again")
    user = await store.find_user_steady(tx, found.user_id)
    session = await store.get_session_for_update(tx, found.id)
    token, newest_generation = await store.get_refresh_token(tx, session.id, presented.digest)
    token.check_tradable(session, newest_generation, tx.now)
    if user is None or user.status is not UserStatus.ACTIVE:
        raise SessionRevoked
    await store.mark_refresh_token_used(tx, presented.digest)
    return await issue(user, session, token.generation + 1, signer, tx)


@asynccontextmanager
async def reuse_ends_session(unit_of_work: UnitOfWork) -> AsyncIterator[None]:
    """Around a refresh: a reused token ends its whole session, in a second transaction, as the refused one is undone.

    Raises:
        SessionRevoked: that happened.
    """
    try:
        yield
    except RefreshTokenReused as reuse:
        async with unit_of_work.begin() as tx:
            session = await store.get_session_for_update(tx, reuse.session_id)
            if session.revoked_at is None:
                await revoke(session, RevocationCause.REFRESH_TOKEN_REUSED, tx)
                _LOGGER.warning("session %s was ended: one of its refresh tokens was used twice", session.id)
        raise SessionRevoked from None


async def log_out(presented: Secret, tx: WriteTx) -> None:
    """End the session of a refresh token. With an unknown token, or a session that is over, there is nothing to end."""
    found = await store.find_session_of(tx, presented.digest)
    if found is None:
        return
    session = await store.get_session_for_update(tx, found.id)
    if session.revoked_at is None:
        await revoke(session, RevocationCause.LOGGED_OUT, tx)


async def invite_user(command: InviteUser, rules: AccountRules, tx: WriteTx) -> Invited:
    """Make an account for somebody, or a new invitation for somebody who has not used the one before.

    Raises:
        Forbidden: the actor is no active admin any more.
        SignUpClosed: nobody could take up the invitation.
        InvalidArgument: the e-mail address or the name is malformed.
        EmailTaken: the address belongs to an account, or was invited with another role.
    """
    await authority.require_admin(tx)
    if rules.signup is SignUpMode.CLOSED:
        raise closed(rules.signup)
    email = check_email(command.email)
    name = check_display_name(command.display_name, email)
    user = User(uuid7(), 1, email, name, command.role, UserStatus.INVITED, tx.now, tx.now)
    if await store.add_user(tx, user):
        tx.changed(None, user, UserInvited(user.id, user.version, user.role))
    else:
        user = await _invited_before(user, tx)
    invitation, expires_at = new_secret(), tx.now + rules.invitation_lifetime
    await store.put_invitation(tx, user.id, invitation.digest, expires_at)
    await store.record(tx, "user.invited", user.id, detail={"role": user.role})
    return Invited(user, invitation, expires_at)


async def _invited_before(wanted: User, tx: WriteTx) -> User:
    found = await store.find_user(tx, wanted.email)
    user = await store.get_user_for_update(tx, found.id) if found else wanted
    if user.status is not UserStatus.INVITED:
        raise EmailTaken("this e-mail address belongs to an account")
    if user.role is not wanted.role:
        raise EmailTaken("this person was invited with another role; change the role of that account instead")
    return user


async def set_user_role(command: SetUserRole, tx: WriteTx) -> User:
    """Give somebody a role, or take it away.

    Raises:
        Forbidden: the actor is no active admin any more.
        UserNotFound: no user has this id.
        VersionConflict: the user was changed since the actor read him.
        UserStateUnchanged: he has the role already.
        UserDeactivated: the account is closed.
        LastAdmin: nobody would be left who can manage the installation.
    """
    admins = await authority.lock_admins(tx)
    user = await store.get_user_for_update(tx, command.user_id)
    guard_version(expected=command.expected_version, actual=user.version, kind="user", id=user.id)
    changed, fact = user.given(command.role, tx.now)
    authority.keep_an_admin(admins, changed)
    await store.save_user(tx, changed, expected_version=user.version)
    tx.changed(user, changed, fact)
    await store.record(tx, "user.role_set", user.id, detail={"previous_role": user.role, "role": changed.role})
    return changed


async def deactivate_user(command: DeactivateUser, tx: WriteTx) -> User:
    """Close an account and end its sessions.

    Raises:
        Forbidden: the actor is no active admin any more.
        UserNotFound: no user has this id.
        VersionConflict: the user was changed since the actor read him.
        UserStateUnchanged: the account is closed already.
        LastAdmin: nobody would be left who can manage the installation.
    """
    admins = await authority.lock_admins(tx)
    user = await store.get_user_for_update(tx, command.user_id)
    guard_version(expected=command.expected_version, actual=user.version, kind="user", id=user.id)
    changed, fact = user.deactivated(tx.now)
    authority.keep_an_admin(admins, changed)
    await store.save_user(tx, changed, expected_version=user.version)
    tx.changed(user, changed, fact)
    await store.record(tx, "user.deactivated", user.id)
    for session in await store.open_sessions_for_update(tx, user.id):
        await revoke(session, RevocationCause.USER_DEACTIVATED, tx)
    return changed


async def change_password(prepared: PreparedPasswordChange, tx: WriteTx) -> User:
    """Replace one's password and end one's other sessions.

    Raises:
        VersionConflict: the account was changed since the person read it.
        CredentialsInvalid: the current password was wrong, or is another one by now.
    """
    user = await store.get_user_for_update(tx, prepared.command.user_id)
    guard_version(expected=prepared.command.expected_version, actual=user.version, kind="user", id=user.id)
    verified = prepared.verified_hash is not None
    if not verified or await store.get_password_hash(tx, user.id) != prepared.verified_hash:
        raise CredentialsInvalid
    if user.status is not UserStatus.ACTIVE:
        raise CredentialsInvalid
    changed, fact = user.with_new_password(tx.now)
    await store.save_user(tx, changed, expected_version=user.version)
    await store.put_password_hash(tx, user.id, prepared.new_hash)
    await vault.forgive(tx, account_throttle(user.email))
    tx.changed(user, changed, fact)
    await store.record(tx, "user.password_changed", user.id)
    for session in await store.open_sessions_for_update(tx, user.id, but=prepared.command.session_id):
        await revoke(session, RevocationCause.PASSWORD_CHANGED, tx)
    return changed


async def issue(user: User, session: Session, generation: int, signer: Signer, tx: WriteTx) -> IssuedSession:
    """The pair of tokens of this generation for a session that is stored."""
    refresh_token = new_secret()
    await store.add_refresh_token(tx, session.id, refresh_token.digest, generation)
    return IssuedSession(user, signer.for_user(user, session, tx.now), refresh_token, session.expires_at)


async def revoke(session: Session, cause: RevocationCause, tx: WriteTx) -> None:
    """End a session that is locked."""
    revoked, fact = session.revoked(cause, tx.now)
    await store.save_revoked(tx, revoked)
    tx.publish(fact)
    await store.record(tx, "session.revoked", session.user_id, detail={"session_id": str(session.id), "cause": cause})
