"""What an operator can set for tickets alone."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings


class TicketsSettings(ServiceSettings):
    """Settings of tickets: `TICKETS_*`, beside the shared ones."""

    model_config = SettingsConfigDict(env_prefix="TICKETS_")

    grpc_listen: str = "127.0.0.1:8103"
    """Address for gRPC."""
    http_listen: str = "127.0.0.1:8203"
    """Address for health (`/healthz`, `/readyz`) and `/metrics`."""
    triage_timeout_seconds: float = Field(60.0, gt=0, le=600)
    """How long one attempt waits for ai to triage a ticket."""
    triage_patience_seconds: float = Field(300.0, ge=0, le=86_400)
    """How long a ticket waits for an ai that is away before its triage is FAILED; it can be triaged again later."""
