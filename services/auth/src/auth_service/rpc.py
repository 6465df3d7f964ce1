"""AuthService over gRPC: protos to use cases and back. Who may call, and who sees what, is decided around it."""

from typing import Any

import grpc

from aiops.auth.v1 import auth_service_pb2 as pb
from aiops.auth.v1.auth_service_pb2_grpc import AuthServiceServicer
from aiops.identity.v1.identity_service_pb2 import (
    ListRevocationsRequest,
    ListRevocationsResponse,
    ListSigningKeysRequest,
    ListSigningKeysResponse,
)
from aiops.identity.v1.identity_service_pb2_grpc import IdentityServiceServicer
from auth_service import convert, queries, usecases
from auth_service.credentials import machines
from auth_service.credentials.setup_file import SetupTokenFile
from auth_service.credentials.verification import PasswordVerification
from auth_service.domain import AccountRules
from auth_service.oidc import admission
from auth_service.oidc.sign_in import SignIn, begin_sign_in
from auth_service.queries import KeyRing
from chassis.db import Database, UnitOfWork, WriteTx
from chassis.identity import current_call
from chassis.ids import parse_ids
from chassis.paging import page_from

Context = grpc.aio.ServicerContext[Any, Any]


class AuthServicer(AuthServiceServicer, IdentityServiceServicer):
    """Answers AuthService and IdentityService."""

    def __init__(
        self,
        *,
        database: Database,
        unit_of_work: UnitOfWork,
        verification: PasswordVerification,
        keys: KeyRing,
        setup_file: SetupTokenFile,
        rules: AccountRules,
        sign_in: SignIn,
    ) -> None:
        self._database = database
        self._uow = unit_of_work
        self._sign_in = sign_in
        self._verification = verification
        self._keys = keys
        self._setup_file = setup_file
        self._rules = rules

    async def ListSigningKeys(self, request: ListSigningKeysRequest, context: Context) -> ListSigningKeysResponse:
        """The public keys of access tokens; of IdentityService."""
        return ListSigningKeysResponse(jwks=await self._keys.jwks())

    async def ListRevocations(self, request: ListRevocationsRequest, context: Context) -> ListRevocationsResponse:
        """Which access tokens are void before their time; of IdentityService."""
        async with self._database.read() as tx:
            return convert.revocations_to_proto(*await queries.list_revocations(request.since, tx))

    async def SignUp(self, request: pb.SignUpRequest, context: Context) -> pb.SignUpResponse:
        """Make an account."""
        admitted = await self._verification.for_sign_up(convert.sign_up_command(request))

        async def effect(tx: WriteTx) -> pb.SignUpResponse:
            return pb.SignUpResponse(user=convert.user_to_proto(await usecases.sign_up(admitted, self._rules, tx)))

        response = await self._uow.once(request, pb.SignUpResponse, effect)
        if request.setup_token:
            self._setup_file.discard()
        return response

    async def LogIn(self, request: pb.LogInRequest, context: Context) -> pb.LogInResponse:
        """Start a session."""
        verified = await self._verification.for_log_in(convert.log_in_command(request))
        signer = await self._keys.signer()

        async def effect(tx: WriteTx) -> pb.LogInResponse:
            issued = await usecases.log_in(verified, signer, self._rules, tx)
            return pb.LogInResponse(session=convert.session_to_proto(issued), user=convert.user_to_proto(issued.user))

        return await self._uow.once(request, pb.LogInResponse, effect)

    async def RefreshSession(self, request: pb.RefreshSessionRequest, context: Context) -> pb.RefreshSessionResponse:
        """Trade a refresh token in for the next pair."""
        signer = await self._keys.signer()

        async def effect(tx: WriteTx) -> pb.RefreshSessionResponse:
            issued = await usecases.refresh_session(convert.secret_from(request.refresh_token), signer, tx)
            return pb.RefreshSessionResponse(
                session=convert.session_to_proto(issued), user=convert.user_to_proto(issued.user)
            )

        async with usecases.reuse_ends_session(self._uow):
            return await self._uow.once(request, pb.RefreshSessionResponse, effect)

    async def LogOut(self, request: pb.LogOutRequest, context: Context) -> pb.LogOutResponse:
        """End a session."""

        async def effect(tx: WriteTx) -> pb.LogOutResponse:
            await usecases.log_out(convert.secret_from(request.refresh_token), tx)
            return pb.LogOutResponse()

        return await self._uow.once(request, pb.LogOutResponse, effect)

    async def GetMe(self, request: pb.GetMeRequest, context: Context) -> pb.GetMeResponse:
        """The caller's own account."""
        async with self._database.read() as tx:
            user = await queries.get_me(convert.own_id(current_call()), tx)
        return pb.GetMeResponse(user=convert.user_to_proto(user))

    async def ListUsers(self, request: pb.ListUsersRequest, context: Context) -> pb.ListUsersResponse:
        """A page of accounts."""
        page = page_from(request.page)
        async with self._database.read() as tx:
            return convert.users_page_to_proto(await queries.list_users(page, tx))

    async def BatchGetUsers(self, request: pb.BatchGetUsersRequest, context: Context) -> pb.BatchGetUsersResponse:
        """The accounts that exist among some ids."""
        ids = parse_ids(request.ids)
        async with self._database.read() as tx:
            users = await queries.batch_get_users(ids, tx)
        return pb.BatchGetUsersResponse(users=[convert.user_to_proto(user) for user in users])

    async def BatchGetUsersByEmail(
        self, request: pb.BatchGetUsersByEmailRequest, context: Context
    ) -> pb.BatchGetUsersByEmailResponse:
        """The accounts with one of some addresses."""
        emails = convert.batch_emails(request.emails)
        async with self._database.read() as tx:
            found = await queries.batch_get_users_by_email(emails, tx)
        return pb.BatchGetUsersByEmailResponse(users=convert.users_by_email_to_proto(found))

    async def InviteUser(self, request: pb.InviteUserRequest, context: Context) -> pb.InviteUserResponse:
        """Make an account for somebody else."""

        async def effect(tx: WriteTx) -> pb.InviteUserResponse:
            invited = await usecases.invite_user(convert.invite_command(request), self._rules, tx)
            return convert.invited_to_proto(invited)

        return await self._uow.once(request, pb.InviteUserResponse, effect)

    async def SetUserRole(self, request: pb.SetUserRoleRequest, context: Context) -> pb.SetUserRoleResponse:
        """Give or take a role."""

        async def effect(tx: WriteTx) -> pb.SetUserRoleResponse:
            user = await usecases.set_user_role(convert.set_role_command(request), tx)
            return pb.SetUserRoleResponse(user=convert.user_to_proto(user))

        return await self._uow.once(request, pb.SetUserRoleResponse, effect)

    async def DeactivateUser(self, request: pb.DeactivateUserRequest, context: Context) -> pb.DeactivateUserResponse:
        """Close an account."""

        async def effect(tx: WriteTx) -> pb.DeactivateUserResponse:
            user = await usecases.deactivate_user(convert.deactivate_command(request), tx)
            return pb.DeactivateUserResponse(user=convert.user_to_proto(user))

        return await self._uow.once(request, pb.DeactivateUserResponse, effect)

    async def ChangePassword(self, request: pb.ChangePasswordRequest, context: Context) -> pb.ChangePasswordResponse:
        """Replace the caller's password."""
        command = convert.change_password_command(request, current_call())
        prepared = await self._verification.for_password_change(command)

        async def effect(tx: WriteTx) -> pb.ChangePasswordResponse:
            return pb.ChangePasswordResponse(user=convert.user_to_proto(await usecases.change_password(prepared, tx)))

        return await self._uow.once(request, pb.ChangePasswordResponse, effect)

    async def CreateApiToken(self, request: pb.CreateApiTokenRequest, context: Context) -> pb.CreateApiTokenResponse:
        """Make a credential for a machine."""

        async def effect(tx: WriteTx) -> pb.CreateApiTokenResponse:
            issued = await machines.create_api_token(convert.create_api_token_command(request), tx)
            return convert.created_to_proto(issued)

        return await self._uow.once(request, pb.CreateApiTokenResponse, effect)

    async def ListApiTokens(self, request: pb.ListApiTokensRequest, context: Context) -> pb.ListApiTokensResponse:
        """A page of API tokens."""
        page = page_from(request.page)
        async with self._database.read() as tx:
            return convert.api_tokens_page_to_proto(await queries.list_api_tokens(page, tx))

    async def RevokeApiToken(self, request: pb.RevokeApiTokenRequest, context: Context) -> pb.RevokeApiTokenResponse:
        """End a machine's credential."""

        async def effect(tx: WriteTx) -> pb.RevokeApiTokenResponse:
            token = await machines.revoke_api_token(convert.revoke_api_token_command(request), tx)
            return pb.RevokeApiTokenResponse(api_token=convert.api_token_to_proto(token))

        return await self._uow.once(request, pb.RevokeApiTokenResponse, effect)

    async def ExchangeApiToken(
        self, request: pb.ExchangeApiTokenRequest, context: Context
    ) -> pb.ExchangeApiTokenResponse:
        """An access token for an API token."""
        signer = await self._keys.signer()
        async with self._uow.begin() as tx:
            token = await machines.exchange_api_token(convert.secret_from(request.token), signer, tx)
        return convert.exchanged_to_proto(token)

    async def GetSignInProvider(
        self, request: pb.GetSignInProviderRequest, context: Context
    ) -> pb.GetSignInProviderResponse:
        """Whether people can sign in through a provider."""
        return pb.GetSignInProviderResponse(name=self._sign_in.provider_name)

    async def BeginSignIn(self, request: pb.BeginSignInRequest, context: Context) -> pb.BeginSignInResponse:
        """Send a browser to the provider."""
        departure = await self._sign_in.depart(convert.begin_sign_in_command(request))

        async def effect(tx: WriteTx) -> pb.BeginSignInResponse:
            return convert.departure_to_proto(departure, await begin_sign_in(departure, tx))

        return await self._uow.once(request, pb.BeginSignInResponse, effect)

    async def CompleteSignIn(self, request: pb.CompleteSignInRequest, context: Context) -> pb.CompleteSignInResponse:
        """Start a session for whom the provider vouches for."""
        if replayed := await self._uow.replay(request, pb.CompleteSignInResponse):
            return replayed
        arrival = await self._sign_in.arrive(convert.complete_sign_in_command(request))
        signer = await self._keys.signer()

        async def effect(tx: WriteTx) -> pb.CompleteSignInResponse:
            issued = await admission.admit(arrival, signer, tx)
            return convert.arrived_to_proto(issued, arrival)

        async with admission.access_ends_without_role(self._uow, arrival):
            return await self._uow.once(request, pb.CompleteSignInResponse, effect)

    async def EndProviderSessions(
        self, request: pb.EndProviderSessionsRequest, context: Context
    ) -> pb.EndProviderSessionsResponse:
        """End what the provider has ended."""
        told = await self._sign_in.heed(request.logout_token)

        async def effect(tx: WriteTx) -> pb.EndProviderSessionsResponse:
            return pb.EndProviderSessionsResponse(ended=await admission.end_sessions(*told, tx))

        return await self._uow.once(request, pb.EndProviderSessionsResponse, effect)
