"""What an operator can set for logs alone."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings


class LogsSettings(ServiceSettings):
    """Settings of logs: `LOGS_*`, beside the shared ones."""

    model_config = SettingsConfigDict(env_prefix="LOGS_")

    grpc_listen: str = "127.0.0.1:8102"
    """Address for gRPC."""
    http_listen: str = "127.0.0.1:8202"
    """Address for health (`/healthz`, `/readyz`) and `/metrics`."""
    concurrent_ingestions: int = Field(4, ge=1, le=64)
    """Uploads, and apart from them pastes, that are read at the same time; more wait for their turn. Each takes a
    Postgres connection."""
    summary_timeout_seconds: float = Field(90.0, gt=0, le=600)
    """How long one attempt waits for ai to word the evidence of a log."""
    summary_patience_seconds: float = Field(300.0, ge=0, le=86_400)
    """How long a log waits for an ai that is away before its state is FAILED; it can be summarised again later."""
