"""Between protos and domain: pure and total. What comes in malformed is refused with the field's name."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from aiops.auth.v1 import auth_service_pb2 as pb
from aiops.auth.v1 import events_pb2 as events
from aiops.auth.v1 import user_pb2
from aiops.identity.v1 import identity_service_pb2 as identity_pb
from auth_service import domain
from auth_service.credentials import api_token as machine
from auth_service.credentials.issued import Invited, IssuedApiToken, IssuedSession
from auth_service.credentials.opaque import Secret
from auth_service.credentials.signing import AccessToken
from auth_service.domain import Role, User, UserStatus
from auth_service.oidc.steps import Arrival, BeginSignIn, CompleteSignIn, Departure
from chassis.errors import InvalidArgument, Unauthenticated
from chassis.events import Event
from chassis.identity import Call
from chassis.ids import MAXIMUM_BATCH, parse_id
from chassis.paging import Slice, page_info
from chassis.protos import moment_from, moment_to_proto
from chassis.revocations import Revocation

_ROLES: "Mapping[Role | None, user_pb2.Role.ValueType]" = {
    None: user_pb2.ROLE_UNSPECIFIED,
    Role.ADMIN: user_pb2.ROLE_ADMIN,
    Role.OPS: user_pb2.ROLE_OPS,
    Role.HR: user_pb2.ROLE_HR,
}
_ROLES_BACK = {value: role for role, value in _ROLES.items()}
_STATUSES: "Mapping[UserStatus, user_pb2.UserStatus.ValueType]" = {
    UserStatus.INVITED: user_pb2.USER_STATUS_INVITED,
    UserStatus.ACTIVE: user_pb2.USER_STATUS_ACTIVE,
    UserStatus.DEACTIVATED: user_pb2.USER_STATUS_DEACTIVATED,
}


def sign_up_command(request: pb.SignUpRequest) -> domain.SignUp:
    """The wish for an account."""
    return domain.SignUp(
        email=request.email,
        password=request.password,
        display_name=request.display_name,
        setup_token=request.setup_token,
        invitation_token=request.invitation_token,
    )


def log_in_command(request: pb.LogInRequest) -> domain.LogIn:
    """A pair of credentials."""
    return domain.LogIn(email=request.email, password=request.password, client_address=request.client_address)


def invite_command(request: pb.InviteUserRequest) -> domain.InviteUser:
    """The wish for somebody else's account.

    Raises:
        InvalidArgument: there is no such role.
    """
    return domain.InviteUser(email=request.email, role=role_from(request.role), display_name=request.display_name)


def set_role_command(request: pb.SetUserRoleRequest) -> domain.SetUserRole:
    """The wish for somebody's other role.

    Raises:
        InvalidArgument: the id is malformed, or there is no such role.
    """
    return domain.SetUserRole(
        parse_id(request.user_id, field="user_id"), request.expected_version, role_from(request.role)
    )


def deactivate_command(request: pb.DeactivateUserRequest) -> domain.DeactivateUser:
    """The wish to close an account.

    Raises:
        InvalidArgument: the id is malformed.
    """
    return domain.DeactivateUser(parse_id(request.user_id, field="user_id"), request.expected_version)


def change_password_command(request: pb.ChangePasswordRequest, call: Call) -> domain.ChangePassword:
    """The wish for another password of one's own.

    Raises:
        Unauthenticated: the call is for nobody.
    """
    if call.viewer is None:
        raise Unauthenticated("log in first")
    return domain.ChangePassword(
        user_id=call.viewer.id,
        session_id=call.viewer.session_id,
        expected_version=request.expected_version,
        current_password=request.current_password,
        new_password=request.new_password,
    )


def create_api_token_command(request: pb.CreateApiTokenRequest) -> machine.CreateApiToken:
    """The wish for a machine's credential.

    Raises:
        InvalidArgument: the moment is none that exists.
    """
    expires_at = moment_from(request.expires_at, field="expires_at") if request.HasField("expires_at") else None
    return machine.CreateApiToken(request.service_account_name, frozenset(request.scopes), expires_at)


def revoke_api_token_command(request: pb.RevokeApiTokenRequest) -> machine.RevokeApiToken:
    """The wish to end a machine's credential.

    Raises:
        InvalidArgument: the id is malformed.
    """
    return machine.RevokeApiToken(parse_id(request.api_token_id, field="api_token_id"), request.expected_version)


def begin_sign_in_command(request: pb.BeginSignInRequest) -> BeginSignIn:
    """The wish to sign in at the provider."""
    return BeginSignIn(request.redirect_uri, request.next_path, request.client_address)


def complete_sign_in_command(request: pb.CompleteSignInRequest) -> CompleteSignIn:
    """What a browser brought back from the provider."""
    return CompleteSignIn(
        state=Secret(request.state),
        code=request.code,
        issuer=request.issuer,
        browser_secret=Secret(request.browser_secret),
        client_address=request.client_address,
    )


def departure_to_proto(departure: Departure, expires_at: datetime) -> pb.BeginSignInResponse:
    """Where a browser goes now."""
    return pb.BeginSignInResponse(
        authorization_url=departure.authorization_url,
        browser_secret=departure.browser_secret.text,
        expires_at=moment_to_proto(expires_at),
    )


def arrived_to_proto(issued: IssuedSession, arrival: Arrival) -> pb.CompleteSignInResponse:
    """The session of somebody whom the provider has vouched for."""
    session, user = session_to_proto(issued), user_to_proto(issued.user)
    return pb.CompleteSignInResponse(session=session, user=user, next_path=arrival.next_path)


def secret_from(text: str) -> Secret:
    """A secret that somebody presents."""
    return Secret(text.strip())


def own_id(call: Call) -> UUID:
    """Who the call acts for.

    Raises:
        Unauthenticated: for nobody.
    """
    if call.viewer is None:
        raise Unauthenticated("log in first")
    return call.viewer.id


def batch_emails(emails: Sequence[str]) -> list[str]:
    """The addresses of a batch, each once as it was written.

    Raises:
        InvalidArgument: there are too many.
    """
    if len(emails) > MAXIMUM_BATCH:
        raise InvalidArgument(
            f"ask for at most {MAXIMUM_BATCH} addresses at once, these are {len(emails)}", field="emails"
        )
    return list(dict.fromkeys(emails))


def users_by_email_to_proto(found: Mapping[str, User]) -> list[pb.UserWithEmail]:
    """Accounts by the address that was asked for."""
    return [pb.UserWithEmail(requested_email=email, user=user_to_proto(user)) for email, user in found.items()]


def role_from(value: int) -> Role | None:
    """The role of a proto value; None for unspecified.

    Raises:
        InvalidArgument: there is no such role.
    """
    if value not in _ROLES_BACK:
        raise InvalidArgument("there is no such role; choose admin, ops, hr or none", field="role")
    return _ROLES_BACK[user_pb2.Role.ValueType(value)]


def user_to_proto(user: User) -> user_pb2.User:
    """An account with all its fields; the policy's mask takes away what the viewer may not see."""
    return user_pb2.User(
        id=str(user.id),
        version=user.version,
        email=user.email,
        display_name=user.display_name,
        role=_ROLES[user.role],
        status=_STATUSES[user.status],
        created_at=moment_to_proto(user.created_at),
        updated_at=moment_to_proto(user.updated_at),
    )


def session_to_proto(issued: IssuedSession) -> user_pb2.Session:
    """A pair of tokens."""
    return user_pb2.Session(
        access_token=issued.access_token.text,
        access_token_expires_at=moment_to_proto(issued.access_token.expires_at),
        refresh_token=issued.refresh_token.text,
        refresh_token_expires_at=moment_to_proto(issued.refresh_token_expires_at),
    )


def api_token_to_proto(token: machine.ApiToken) -> user_pb2.ApiToken:
    """The description of a machine's credential."""
    return user_pb2.ApiToken(
        id=str(token.id),
        version=token.version,
        service_account_name=token.service_account.name,
        service_account_id=str(token.service_account.id),
        scopes=sorted(token.scopes),
        prefix=token.prefix,
        created_at=moment_to_proto(token.created_at),
        expires_at=moment_to_proto(token.expires_at),
        revoked_at=moment_to_proto(token.revoked_at),
        last_used_at=moment_to_proto(token.last_used_at),
    )


def invited_to_proto(invited: Invited) -> pb.InviteUserResponse:
    """An invited account and the secret to pass on."""
    return pb.InviteUserResponse(
        user=user_to_proto(invited.user),
        invitation_token=invited.invitation_token.text,
        invitation_expires_at=moment_to_proto(invited.expires_at),
    )


def created_to_proto(issued: IssuedApiToken) -> pb.CreateApiTokenResponse:
    """A machine's new credential."""
    return pb.CreateApiTokenResponse(api_token=api_token_to_proto(issued.api_token), token=issued.secret.text)


def exchanged_to_proto(token: AccessToken) -> pb.ExchangeApiTokenResponse:
    """An access token for a machine."""
    return pb.ExchangeApiTokenResponse(
        access_token=token.text, access_token_expires_at=moment_to_proto(token.expires_at)
    )


def revocations_to_proto(revocations: Sequence[Revocation], cursor: str) -> identity_pb.ListRevocationsResponse:
    """What is void, for processes that take tokens."""
    listed = [identity_pb.Revocation(id=str(each.id), version=each.version) for each in revocations]
    return identity_pb.ListRevocationsResponse(revocations=listed, cursor=cursor)


def users_page_to_proto(page: Slice[User]) -> pb.ListUsersResponse:
    """A page of accounts."""
    users = [user_to_proto(user) for user in page.items]
    return pb.ListUsersResponse(users=users, page_info=page_info(page), cursors=page.cursors)


def api_tokens_page_to_proto(page: Slice[machine.ApiToken]) -> pb.ListApiTokensResponse:
    """A page of API tokens."""
    tokens = [api_token_to_proto(token) for token in page.items]
    return pb.ListApiTokensResponse(api_tokens=tokens, page_info=page_info(page), cursors=page.cursors)


def fact_to_event(fact: object) -> Event:
    """What happened, as it travels.

    Raises:
        TypeError: auth tells no such fact.
    """
    match fact:
        case domain.UserSignedUp(user_id, version, role):
            payload = events.UserSignedUp(user_id=str(user_id), role=_ROLES[role])
            event = Event("aiops.auth.user.signed_up.v1", "user", user_id, version, payload)
        case domain.UserInvited(user_id, version, role):
            invited = events.UserInvited(user_id=str(user_id), role=_ROLES[role])
            event = Event("aiops.auth.user.invited.v1", "user", user_id, version, invited)
        case domain.UserRoleSet(user_id, version, before, role):
            role_set = events.UserRoleSet(user_id=str(user_id), previous_role=_ROLES[before], role=_ROLES[role])
            event = Event("aiops.auth.user.role_set.v1", "user", user_id, version, role_set)
        case domain.UserWasDeactivated(user_id, version):
            deactivated = events.UserDeactivated(user_id=str(user_id))
            event = Event("aiops.auth.user.deactivated.v1", "user", user_id, version, deactivated)
        case domain.UserErased(user_id, version):
            erased = events.UserErased(user_id=str(user_id))
            event = Event("aiops.auth.user.erased.v1", "user", user_id, version, erased)
        case domain.UserPasswordChanged(user_id, version):
            changed = events.UserPasswordChanged(user_id=str(user_id))
            event = Event("aiops.auth.user.password_changed.v1", "user", user_id, version, changed)
        case domain.SessionWasRevoked(session_id, version, user_id, cause):
            ended = events.SessionRevoked(session_id=str(session_id), user_id=str(user_id), cause=cause.value)
            event = Event("aiops.auth.session.revoked.v1", "session", session_id, version, ended)
        case machine.ApiTokenCreated(token_id, version, account_id, scopes):
            created = events.ApiTokenCreated(
                api_token_id=str(token_id), service_account_id=str(account_id), scopes=sorted(scopes)
            )
            event = Event("aiops.auth.api_token.created.v1", "api_token", token_id, version, created)
        case machine.ApiTokenRevoked(token_id, version, account_id):
            revoked = events.ApiTokenRevoked(api_token_id=str(token_id), service_account_id=str(account_id))
            event = Event("aiops.auth.api_token.revoked.v1", "api_token", token_id, version, revoked)
        case _:
            raise TypeError(f"auth tells no fact of type {type(fact).__name__}")
    return event
