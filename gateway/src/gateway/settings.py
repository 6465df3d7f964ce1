"""What an operator can set about the gateway."""

from pathlib import Path

from pydantic_settings import SettingsConfigDict

from chassis.settings import ProcessSettings


class GatewaySettings(ProcessSettings):
    """Settings of the gateway, from `GATEWAY_*`."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_")

    http_listen: str = "127.0.0.1:8080"
    """Address for GraphQL and the doors."""
    operations_listen: str = "127.0.0.1:8180"
    """Address for health and metrics; keep it away from the outside."""
    dashboard_folder: Path | None = None
    """Folder of the built dashboard (`make dashboard` makes `dashboard/dist`), served at `/`. Empty: no pages, when
    something else serves them under the same origin."""
