"""The slow half of a write with a password: bcrypt, outside of any transaction.

What is verified here is compared once more in the transaction of the write, so a change in between wins.
"""

import ipaddress
import logging
import re
from dataclasses import dataclass, field
from uuid import UUID

from auth_service import store
from auth_service.credentials import vault
from auth_service.credentials.opaque import digest
from auth_service.credentials.passwords import PasswordHasher, check_password
from auth_service.credentials.throttle import ACCOUNT_THROTTLE, ADDRESS_THROTTLE
from auth_service.credentials.vault import ThrottleSubject
from auth_service.domain import (
    AccountRules,
    ChangePassword,
    LogIn,
    SignUp,
    SignUpMode,
    UserStatus,
    check_display_name,
    check_email,
    email_key,
)
from auth_service.errors import (
    CredentialsInvalid,
    InvitationInvalid,
    PasswordNotHere,
    SetupTokenInvalid,
    SignUpClosed,
    TooManyAttempts,
    UserDeactivated,
)
from chassis.db import UnitOfWork, WriteTx

_LOGGER = logging.getLogger(__name__)
_NOBODY = UUID(int=0)
# Only what the log's redaction is sure to recognise: people type passwords into the e-mail field.
_LOGGABLE_EMAIL = re.compile(r"[A-Za-z0-9._+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,4}[A-Za-z]{2,24}")


@dataclass(frozen=True)
class AdmittedSignUp:
    """A sign-up whose token, if any, is known and whose password is hashed."""

    command: SignUp
    password_hash: str = field(repr=False)


@dataclass(frozen=True)
class VerifiedLogIn:
    """A log-in with the right password, and the hash that it was right for."""

    user_id: UUID
    password_hash: str = field(repr=False)
    rehashed: str | None = field(repr=False)
    """The same password at the cost that is set now, when that changed."""
    throttled: tuple[ThrottleSubject, ...] = field(repr=False)
    client_address: str


@dataclass(frozen=True)
class PreparedPasswordChange:
    """A change of password with the hash that the current one was right for; None when it was wrong."""

    command: ChangePassword
    verified_hash: str | None = field(repr=False)
    new_hash: str = field(repr=False)


def account_throttle(email: str) -> ThrottleSubject:
    """What attempts on an account are counted under."""
    return ThrottleSubject("account", email_key(email))


class PasswordVerification:
    """Checks passwords for the writes that need one."""

    def __init__(self, unit_of_work: UnitOfWork, hasher: PasswordHasher, rules: AccountRules) -> None:
        self._uow = unit_of_work
        self._hasher = hasher
        self._rules = rules

    async def for_sign_up(self, command: SignUp) -> AdmittedSignUp:
        """Hash the password of somebody who may come in.

        It refuses only what could not have been a success before, so that a repeated request still gets its answer.

        Raises:
            InvalidArgument: the e-mail address or the name is malformed.
            PasswordUnacceptable: the password is too short or too long.
            SetupTokenInvalid: the first account needs the setup token.
            InvitationInvalid: nobody was ever invited with this token.
            SignUpClosed: the installation takes no accounts this way.
            Overloaded: too many passwords wait to be hashed.
        """
        check_display_name(command.display_name, check_email(command.email))
        check_password(command.password)
        async with self._uow.begin() as tx:
            await self._check_token_known(command, tx)
        return AdmittedSignUp(command, await self._hasher.hash(command.password))

    async def for_log_in(self, command: LogIn) -> VerifiedLogIn:
        """Check a pair of credentials. Unknown user, invited user and wrong password: the same work, the same answer.

        Raises:
            TooManyAttempts: too many for this account, or from this address.
            CredentialsInvalid: they do not belong together.
            UserDeactivated: they do, and the account is closed.
            Overloaded: too many passwords wait to be checked.
        """
        address = known_address(command.client_address)
        subjects = (account_throttle(command.email), *([ThrottleSubject("address", address)] if address else ()))
        try:
            async with self._uow.begin() as tx:
                await _count_attempt(subjects, tx)
                user = await store.find_user(tx, command.email)
                hashed = await store.get_password_hash(tx, user.id if user else _NOBODY)
        except TooManyAttempts as refusal:
            _warn_of_failure(command, address, refusal.reason)
            raise
        matches = await self._hasher.matches(command.password, hashed)
        if user and hashed and matches and user.status is UserStatus.ACTIVE:
            outdated = self._hasher.is_outdated(hashed)
            rehashed = await self._hasher.hash(command.password) if outdated else None
            return VerifiedLogIn(user.id, hashed, rehashed, subjects, address)
        refused = UserDeactivated if user and matches and user.status is UserStatus.DEACTIVATED else CredentialsInvalid
        _warn_of_failure(command, address, refused.reason)
        async with self._uow.begin() as tx:
            detail = {"reason": refused.reason}
            await store.record(tx, "log_in.failed", user.id if user else None, client_address=address, detail=detail)
        raise refused

    async def for_password_change(self, command: ChangePassword) -> PreparedPasswordChange:
        """Check the current password and hash the new one.

        A wrong one is refused in the write itself: only there is it known whether the request is a repeated one, whose
        current password was right when it first came.

        Raises:
            PasswordUnacceptable: the new password is too short or too long.
            PasswordNotHere: the person signs in through the provider.
            TooManyAttempts: too many attempts on this account.
            Overloaded: too many passwords wait.
        """
        check_password(command.new_password)
        async with self._uow.begin() as tx:
            user = await store.get_user(tx, command.user_id)
            await _count_attempt((account_throttle(user.email),), tx)
            hashed = await store.get_password_hash(tx, user.id)
        if hashed is None:
            raise PasswordNotHere
        if not await self._hasher.matches(command.current_password, hashed):
            _LOGGER.warning("password change of user %s came with a wrong current password", user.id)
            return PreparedPasswordChange(command, None, "")
        return PreparedPasswordChange(command, hashed, await self._hasher.hash(command.new_password))

    async def _check_token_known(self, command: SignUp, tx: WriteTx) -> None:
        if command.setup_token or not await store.is_set_up(tx):
            if not await store.knows_setup_token(tx, digest(command.setup_token)):
                raise wrong_setup_token(is_set_up=await store.is_set_up(tx))
        elif self._rules.signup is SignUpMode.CLOSED:
            raise closed(self._rules.signup)
        elif command.invitation_token:
            if not await store.knows_invitation(tx, digest(command.invitation_token)):
                raise InvitationInvalid
        elif self._rules.signup is SignUpMode.INVITE:
            raise closed(self._rules.signup)


def wrong_setup_token(*, is_set_up: bool) -> SetupTokenInvalid:
    """The refusal of a setup token, with what to do instead."""
    message = (
        "the first account exists already; sign up without setup_token, or ask an admin for an invitation"
        if is_set_up
        else "the first account needs the setup token: it is in the file that the setting names, on the server of auth"
    )
    return SetupTokenInvalid(message, setting="AUTH_SETUP_TOKEN_FILE")


def closed(mode: SignUpMode) -> SignUpClosed:
    """The refusal of a newcomer, with what to do instead."""
    message = "sign-up is closed here" if mode is SignUpMode.CLOSED else "sign-up needs an invitation; ask an admin"
    return SignUpClosed(message, signup=mode.value)


async def _count_attempt(subjects: tuple[ThrottleSubject, ...], tx: WriteTx) -> None:
    rules = {"account": ACCOUNT_THROTTLE, "address": ADDRESS_THROTTLE}
    for subject in subjects:
        throttle = await vault.get_throttle_for_update(tx, subject)
        await vault.save_throttle(tx, subject, throttle.counted(rules[subject.kind], tx.now))


def known_address(text: str) -> str:
    """The address in one spelling; "" for whatever is none."""
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        return ""


def _warn_of_failure(command: LogIn, address: str, reason: str) -> None:
    email = command.email.strip()
    shown = email if _LOGGABLE_EMAIL.fullmatch(email) else "malformed-address"
    # One wording for every reason: so a summary of our own log counts bad log-ins as one pattern.
    _LOGGER.warning("log-in failed for %s from %s", shown, address or "unknown-address", extra={"reason": reason})
