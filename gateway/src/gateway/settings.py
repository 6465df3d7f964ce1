"""What an operator can set about the gateway."""

from ipaddress import ip_network
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from chassis.settings import ProcessSettings

_NETWORK = r"[0-9a-fA-F.:]+(/[1-9][0-9]{0,2})?"


class GatewaySettings(ProcessSettings):
    """Settings of the gateway, from `GATEWAY_*`."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_")

    http_listen: str = "127.0.0.1:8080"
    """Address for GraphQL and the doors."""
    public_url: str = Field("", pattern=r"^(https?://[A-Za-z0-9.:\[\]-]+)?$")
    """The address under which browsers reach the gateway, such as `https://aiops.example.com`. Sign-in through a
    provider (AUTH_OIDC_ISSUER) needs it for the way back; empty: there is no such sign-in."""
    operations_listen: str = "127.0.0.1:8180"
    """Address for health and metrics; keep it away from the outside."""
    max_requests: int = Field(24, ge=1, le=1000)
    """GraphQL operations and requests for sessions answered at once. Who comes on top waits 0.1 s for a turn, and is
    then answered with 429."""
    max_uploads: int = Field(8, ge=1, le=1000)
    """Uploads taken at once, apart from other requests."""
    max_cost: int = Field(5_000, ge=1, le=1_000_000)
    """What one GraphQL operation may cost: objects that its answer may hold, with `first` of its variables counted and
    lists in lists multiplied; a mutation counts 10 more. What costs more is refused before any service hears of it."""
    documents: Literal["any", "trusted"] | None = None
    """Which GraphQL documents are run: `any` within the limits, or only `trusted` ones: those of the dashboard, of the
    `aiops` command, of the documentation and of GATEWAY_DOCUMENTS_FOLDER. Machines may send any: their API tokens are
    good for little else. Empty: `any` in development, `trusted` in production."""
    documents_folder: Path | None = None
    """Folder of more trusted documents: JSON files that hold documents by their SHA-256 in hexadecimal digits."""
    person_rate: int = Field(5_000, ge=0, le=10_000_000)
    """Cost per second that each person may cause at this process, with a burst of 30 times as much; a request at a door
    costs 10. Who wants more is answered with 429. 0: no limit."""
    machine_rate: int = Field(10_000, ge=0, le=10_000_000)
    """The same for each machine, which is an API token's account."""
    anonymous_rate: int = Field(200, ge=0, le=10_000_000)
    """The same for all that comes without a token from one address, such as log-ins."""
    max_connections: int = Field(20, ge=1, le=10_000)
    """WebSocket connections that each person or machine may hold at this process."""
    max_subscriptions: int = Field(50, ge=1, le=10_000)
    """Subscriptions that each person or machine may hold at this process, over all connections."""
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
