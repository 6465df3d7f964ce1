"""The local state of a stack: ports, secrets, keys and the settings of each process, all below one folder.

Everything secret is made at first start, kept at mode 0600, and never printed; the folder is not in git.
"""

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from chassis.installation import new_key, new_password, new_private_key, public_jwk, write_secret

ROOT = Path(__file__).resolve().parent.parent
SERVICES = ("auth", "logs", "tickets", "changelog", "ai")
MEMBERS = (*SERVICES, "gateway")
HIGHEST_OFFSET = 56_000
GRPC_PORT = {"auth": 8101, "logs": 8102, "tickets": 8103, "changelog": 8104, "ai": 8105}


@dataclass(frozen=True)
class Ports:
    """Every port of the stack, moved together by AIOPS_PORT_OFFSET so that a second stack can run beside the first."""

    offset: int = 0

    @property
    def gateway(self) -> int:
        """GraphQL and the HTTP doors."""
        return 8080 + self.offset

    @property
    def gateway_operations(self) -> int:
        """Health and metrics of the gateway."""
        return 8180 + self.offset

    @property
    def postgres(self) -> int:
        """PostgreSQL."""
        return 8432 + self.offset

    @property
    def nats(self) -> int:
        """NATS clients."""
        return 8422 + self.offset

    @property
    def nats_monitor(self) -> int:
        """NATS monitoring."""
        return 8522 + self.offset

    def grpc(self, service: str) -> int:
        """A service's gRPC."""
        return GRPC_PORT[service] + self.offset

    def http(self, service: str) -> int:
        """Health and metrics of a service's serving process."""
        return self.grpc(service) + 100

    def worker_http(self, service: str) -> int:
        """Health and metrics of a service's worker, when it runs apart."""
        return self.grpc(service) + 200

    def named(self, *, split: bool) -> dict[str, int]:
        """All ports in use, by the name of who listens there."""
        ports = {
            "PostgreSQL": self.postgres,
            "NATS": self.nats,
            "NATS monitoring": self.nats_monitor,
            "gateway": self.gateway,
            "gateway health": self.gateway_operations,
        }
        for service in SERVICES:
            ports[f"{service} gRPC"] = self.grpc(service)
            ports[f"{service} health"] = self.http(service)
            if split:
                ports[f"{service} worker health"] = self.worker_http(service)
        return ports


def _is_foreign(folder: Path) -> bool:
    """Whether the folder holds things, and none of what `prepare` makes first."""
    with contextlib.suppress(OSError):  # whatever is wrong with it, its first use says so
        return not (folder / "secrets.json").exists() and any(
            each.name not in {"keys", "logs"} for each in folder.iterdir()
        )
    return False


class State:
    """The folder of one stack. Made by `prepare`, kept across restarts, deleted by `make reset`."""

    def __init__(self, folder: Path, ports: Ports) -> None:
        self.folder = folder
        self.ports = ports
        self._secrets: dict[str, str] = {}

    @classmethod
    def from_environment(cls) -> "State":
        """The state that AIOPS_STATE_DIR and AIOPS_PORT_OFFSET name; without them the one in this folder.

        Ends the command, with what to do, when the offset moves the ports to where none are, or the folder holds
        other things: `make reset` deletes it.
        """
        text = os.environ.get("AIOPS_PORT_OFFSET") or "0"
        if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) <= HIGHEST_OFFSET):  # noqa: PLR2004
            raise SystemExit(f"AIOPS_PORT_OFFSET is {text!r}; it takes a number from 0 to {HIGHEST_OFFSET:,}.")
        folder = Path(os.environ.get("AIOPS_STATE_DIR") or ROOT / ".aiops").resolve()
        if _is_foreign(folder):
            raise SystemExit(
                f"{folder} holds other things than the state of a stack, which `make reset` would delete. "
                f"Name an empty folder, or one that is not there yet: AIOPS_STATE_DIR=/path"
            )
        return cls(folder, Ports(int(text)))

    def path(self, *parts: str) -> Path:
        """A path inside the folder."""
        return self.folder.joinpath(*parts)

    def prepare(self) -> None:
        """Make folders, passwords, keys and the flags file where they are missing."""
        for folder in (self.folder, self.path("keys"), self.path("logs")):
            folder.mkdir(parents=True, exist_ok=True)
        self.path("keys").chmod(0o700)
        self._load_secrets()
        trust = {member: self._public_jwk(member) for member in MEMBERS}
        self.path("trust.json").write_text(json.dumps(trust, indent=1))
        for name in ("redaction", "auth-encryption"):
            key = self.path("keys", f"{name}.key")
            if not key.exists():
                write_secret(key, new_key())
        flags = self.path("flags.json")
        if not flags.exists():
            flags.write_text("{}\n")

    def secret(self, name: str) -> str:
        """A password by name, for example "logs_app"; made when `prepare` ran first."""
        return self._secrets[name]

    def _load_secrets(self) -> None:
        path = self.path("secrets.json")
        known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        names = ["postgres_admin", *(f"{service}_{role}" for service in SERVICES for role in ("owner", "app"))]
        names += [f"nats_{member}" for member in MEMBERS]
        missing = [name for name in names if name not in known]
        for name in missing:
            known[name] = new_password()
        if missing:
            write_secret(path, json.dumps(known, indent=1))
        self._secrets = known

    def _public_jwk(self, member: str) -> dict[str, str]:
        path = self.path("keys", f"{member}.pem")
        if not path.exists():
            write_secret(path, new_private_key())
        try:
            return public_jwk(path.read_text())
        except ValueError as error:
            raise SystemExit(
                f"{path} holds no Ed25519 key. Delete it, then run the command again: a new one is made."
            ) from error

    def database_url(self, role: str) -> str:
        """URL for a role such as "logs_app"."""
        return f"postgresql://{role}:{self.secret(role)}@127.0.0.1:{self.ports.postgres}/aiops"

    def shared_environment(self) -> dict[str, str]:
        """Settings that every process has."""
        return {
            "AIOPS_ENVIRONMENT": os.environ.get("AIOPS_ENVIRONMENT", "development"),
            "AIOPS_NATS_URL": f"nats://127.0.0.1:{self.ports.nats}",
            "AIOPS_NATS_MONITOR_URL": f"http://127.0.0.1:{self.ports.nats_monitor}",
            "AIOPS_TRUST_FILE": str(self.path("trust.json")),
            "AIOPS_JWKS_URL": f"http://127.0.0.1:{self.ports.http('auth')}/.well-known/jwks.json",
            "AIOPS_DRAIN_SECONDS": "0.5",  # no load balancer has to notice here
            "AIOPS_FLAGS_FILE": str(self.path("flags.json")),
            "AIOPS_REDACTION_KEY_FILE": str(self.path("keys", "redaction.key")),
            "AIOPS_ANCHOR_URL": f"file:{self.path('anchors')}",
            **{f"AIOPS_{service.upper()}_TARGET": f"127.0.0.1:{self.ports.grpc(service)}" for service in GRPC_PORT},
        }

    @property
    def dashboard(self) -> Path | None:
        """The built pages; None where there are none."""
        built = ROOT / "dashboard" / "dist"
        return built if (built / "index.html").is_file() else None

    def environment(self, member: str, *, worker: bool = False) -> dict[str, str]:
        """All settings of one process; what the caller's own environment says about aiops wins."""
        prefix = member.upper()
        own = {
            f"{prefix}_NATS_USER": member,
            f"{prefix}_NATS_PASSWORD": self.secret(f"nats_{member}"),
            f"{prefix}_KEY_FILE": str(self.path("keys", f"{member}.pem")),
        }
        if member == "gateway":
            own["GATEWAY_HTTP_LISTEN"] = f"127.0.0.1:{self.ports.gateway}"
            own["GATEWAY_OPERATIONS_LISTEN"] = f"127.0.0.1:{self.ports.gateway_operations}"
            own["GATEWAY_DASHBOARD_FOLDER"] = str(self.dashboard or "")
        else:
            http = self.ports.worker_http(member) if worker else self.ports.http(member)
            own[f"{prefix}_DATABASE_URL"] = self.database_url(f"{member}_app")
            own[f"{prefix}_GRPC_LISTEN"] = f"127.0.0.1:{self.ports.grpc(member)}"
            own[f"{prefix}_HTTP_LISTEN"] = f"127.0.0.1:{http}"
        if member == "auth":
            own["AUTH_SETUP_TOKEN_FILE"] = str(self.path("setup-token"))
            own["AUTH_KEY_ENCRYPTION_FILE"] = str(self.path("keys", "auth-encryption.key"))
        return {**self.shared_environment(), **own, **os.environ}
