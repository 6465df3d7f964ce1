"""The refusals of auth, one class for each reason that it raises."""

from uuid import UUID

from chassis.errors import Conflict, Exhausted, InvalidInput, NotFound, PermissionDenied, Unauthenticated


class UserNotFound(NotFound):
    """No user has this id."""

    reason = "USER_NOT_FOUND"


class CredentialsInvalid(Unauthenticated):
    """E-mail and password do not belong together: the same words for every way in which they do not."""

    reason = "CREDENTIALS_INVALID"

    def __init__(self) -> None:
        super().__init__("e-mail address and password do not belong together; check both and try again")


class EmailTaken(Conflict):
    """The e-mail address belongs to an account."""

    reason = "EMAIL_TAKEN"


class PasswordUnacceptable(InvalidInput):
    """The password is too short, or longer than bcrypt reads."""

    reason = "PASSWORD_UNACCEPTABLE"


class SetupTokenInvalid(PermissionDenied):
    """The very first account needs the setup token, and nobody else does."""

    reason = "SETUP_TOKEN_INVALID"


class SignUpClosed(PermissionDenied):
    """This installation does not take new accounts this way."""

    reason = "SIGN_UP_CLOSED"


class InvitationInvalid(PermissionDenied):
    """The invitation is unknown, used, expired or somebody else's."""

    reason = "INVITATION_INVALID"

    def __init__(self) -> None:
        super().__init__(
            "this invitation is unknown, used, expired or for another e-mail address; ask an admin for a new one"
        )


class SessionRevoked(Unauthenticated):
    """The session is over."""

    reason = "SESSION_REVOKED"

    def __init__(self) -> None:
        super().__init__("this session was ended; log in again")


class RefreshTokenReused(SessionRevoked):
    """A refresh token came that was traded in long ago: somebody has a copy, so the whole session has to end."""

    def __init__(self, session_id: UUID) -> None:
        super().__init__()
        self.session_id = session_id


class UserDeactivated(Conflict):
    """The account was closed."""

    reason = "USER_DEACTIVATED"

    def __init__(self) -> None:
        super().__init__("this account was deactivated; ask an admin")


class LastAdmin(Conflict):
    """Nobody would be left who can manage the installation."""

    reason = "LAST_ADMIN"

    def __init__(self) -> None:
        super().__init__("this is the last active admin; make somebody else admin first")


class ApiTokenInvalid(Unauthenticated):
    """The API token is unknown, revoked or expired: the same words for all three."""

    reason = "API_TOKEN_INVALID"

    def __init__(self) -> None:
        super().__init__("this API token is unknown, revoked or expired; ask an admin for a new one")


class ApiTokenNotFound(NotFound):
    """No API token has this id."""

    reason = "API_TOKEN_NOT_FOUND"


class TooManyAttempts(Exhausted):
    """Too many attempts in a short time; the wait ends by itself."""

    reason = "TOO_MANY_ATTEMPTS"

    def __init__(self, *, retry_after_seconds: int) -> None:
        super().__init__(
            f"too many attempts; try again in {retry_after_seconds} s", retry_after_seconds=str(retry_after_seconds)
        )


class UserStateUnchanged(Conflict):
    """The user has that state already."""

    reason = "USER_STATE_UNCHANGED"


class SignInNotSetUp(NotFound):
    """There is no sign-in through an OpenID provider here."""

    reason = "SIGN_IN_NOT_SET_UP"

    def __init__(self) -> None:
        super().__init__(
            "sign-in through a provider is not set up here; use a password, or ask an operator to set AUTH_OIDC_ISSUER",
            setting="AUTH_OIDC_ISSUER",
        )


class SignInExpired(Unauthenticated):
    """The sign-in is unknown, over, or was begun in another browser: the same words for all three."""

    reason = "SIGN_IN_EXPIRED"

    def __init__(self) -> None:
        super().__init__("this sign-in took too long, was used before, or was begun in another browser; start again")


class SignInRejected(Unauthenticated):
    """What the provider sent proves nothing; the message tells an operator why and never quotes it."""

    reason = "SIGN_IN_REJECTED"


class NoRoleForGroups(PermissionDenied):
    """None of the person's groups gives a role here."""

    reason = "NO_ROLE_FOR_GROUPS"

    def __init__(self) -> None:
        super().__init__("none of your groups at the provider gives access here; ask whoever manages them")


class EmailUnverified(PermissionDenied):
    """The provider does not vouch for the e-mail address."""

    reason = "EMAIL_UNVERIFIED"

    def __init__(self) -> None:
        super().__init__("the provider does not vouch for your e-mail address; have it verified and sign in again")


class PasswordNotHere(Conflict):
    """The person signs in through the provider."""

    reason = "PASSWORD_NOT_HERE"

    def __init__(self) -> None:
        super().__init__("this account signs in through the organisation's provider and has no password here")


class LogoutTokenInvalid(InvalidInput):
    """The logout token is forged, expired, for somebody else, or came before: the same words for all."""

    reason = "LOGOUT_TOKEN_INVALID"

    def __init__(self) -> None:
        super().__init__("this logout token is not genuine, not current, or came before")
