"""What an operator can set about auth."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from auth_service.domain import SignUpMode
from auth_service.oidc.client import is_private, roles_from
from chassis.settings import ServiceSettings


class AuthSettings(ServiceSettings):
    """Settings of auth, from `AUTH_*`."""

    model_config = SettingsConfigDict(env_prefix="AUTH_")

    grpc_listen: str = "127.0.0.1:8101"
    """Address for gRPC."""
    http_listen: str = "127.0.0.1:8201"
    """Address for health, metrics and the JWKS."""

    signup: SignUpMode = SignUpMode.INVITE
    """Who may sign up after the first account: `invite` (with an admin's invitation), `open` (everybody; without a role
    until an admin gives one) or `closed` (nobody, and nobody can be invited)."""
    setup_token_file: Path
    """Where the setup token of the first account is told: made at mode 0600 when missing, deleted after use."""
    key_encryption_file: Path
    """File with 64 hexadecimal digits, mode 0600: seals the private signing keys in the database. Keep a
    copy: without it they cannot be opened, and auth does not start."""
    signing_key_days: int = Field(30, ge=1, le=365)
    """Days after which the key that signs access tokens is replaced by the next one."""
    session_days: int = Field(30, ge=1, le=365)
    """Days after which a person has to log in again."""
    invitation_days: int = Field(7, ge=1, le=90)
    """Days for which an invitation can be taken up."""
    bcrypt_cost: int = Field(12, ge=4, le=16)
    """Work per password hash: 12 takes about half a second of a core, one more doubles it. Hashes follow at log-in."""

    oidc_issuer: str = ""
    """The OpenID provider through which people sign in, written exactly as its discovery document does:
    `https://id.example.com/realms/staff`. Empty: there is none."""
    oidc_client_id: str = ""
    """What the provider calls this installation."""
    oidc_client_secret_file: Path | None = None
    """File with the secret that the provider gave for it. Empty: a public client, which proves itself by PKCE alone."""
    oidc_name: str = Field("single sign-on", max_length=60)
    """What people call the provider, for the button of the log-in page."""
    oidc_scopes: str = "openid email profile"
    """Scopes to ask for, with blanks between; some providers tell groups only for one more."""
    oidc_groups_claim: str = "groups"
    """Claim of the id token that lists a person's groups."""
    oidc_verified_claim: str = "email_verified"
    """Claim of the id token by which the provider vouches for the e-mail address."""
    oidc_roles: str = ""
    """Which group gives which role: `staff-admins=admin,on-call=ops,people=hr`. Of several the most powerful counts;
    whoever is in none is not let in."""
    oidc_session_hours: int = Field(12, ge=1, le=720)
    """Hours after which a person who signed in through the provider has to do so again."""

    @model_validator(mode="after")
    def _whole_provider(self) -> Self:
        if not self.oidc_issuer:
            return self
        if not is_private(self.oidc_issuer):
            raise ValueError("AUTH_OIDC_ISSUER must be an https address")
        if not self.oidc_client_id or not roles_from(self.oidc_roles):
            raise ValueError("with AUTH_OIDC_ISSUER, set AUTH_OIDC_CLIENT_ID and AUTH_OIDC_ROLES as well")
        if "openid" not in self.oidc_scopes.split():
            raise ValueError("AUTH_OIDC_SCOPES must hold openid")
        return self
