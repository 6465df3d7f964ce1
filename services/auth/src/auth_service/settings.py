"""What an operator can set about auth."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from auth_service.domain import SignUpMode
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
