"""What an operator can set for changelog alone."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings


class ChangelogSettings(ServiceSettings):
    """Settings of changelog: `CHANGELOG_*`, beside the shared ones."""

    model_config = SettingsConfigDict(env_prefix="CHANGELOG_")

    grpc_listen: str = "127.0.0.1:8104"
    """Address for gRPC."""
    http_listen: str = "127.0.0.1:8204"
    """Address for health (`/healthz`, `/readyz`) and `/metrics`."""
    highlight_timeout_seconds: float = Field(90.0, gt=0, le=600)
    """How long one attempt waits for ai to word the highlights of a changelog."""
    highlight_patience_seconds: float = Field(300.0, ge=0, le=86_400)
    """How long a changelog waits for an ai that is away before its highlights are FAILED."""
