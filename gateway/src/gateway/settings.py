"""What an operator can set about the gateway."""

from ipaddress import ip_network
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from chassis.settings import ProcessSettings

_NETWORK = r"[0-9a-fA-F.:]+(/[1-9][0-9]{0,2})?"


class GatewaySettings(ProcessSettings):
    """Settings of the gateway, from `GATEWAY_*`."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_")

    http_listen: str = "127.0.0.1:8080"
    """Address for GraphQL and the doors."""
    operations_listen: str = "127.0.0.1:8180"
    """Address for health and metrics; keep it away from the outside."""
    max_requests: int = Field(24, ge=1, le=1000)
    """GraphQL operations and requests for sessions answered at once. Who comes on top waits 0.1 s for a turn, and is
    then answered with 429."""
    max_uploads: int = Field(8, ge=1, le=1000)
    """Uploads taken at once, apart from other requests."""
    dashboard_folder: Path | None = None
    """Folder of the built dashboard (`make dashboard` makes `dashboard/dist`), served at `/`. Empty: no pages, when
    something else serves them under the same origin."""
    trusted_proxies: str = Field("", json_schema_extra={"pattern": f"^({_NETWORK}(, ?{_NETWORK})*)?$"})
    """Addresses and networks of the proxies in front, such as `10.0.0.0/16,10.1.0.7`: theirs alone is the word in
    `X-Forwarded-For` that tells a client's address. Empty: nobody's; then all clients behind a proxy are slowed down as
    one when they log in too often."""

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, given: str) -> str:
        networks = [ip_network(part.strip()) for part in given.split(",") if part.strip()]
        if any(network.prefixlen == 0 for network in networks):
            raise ValueError("a network of everybody lets each client make up its address")
        return ",".join(str(network) for network in networks)
