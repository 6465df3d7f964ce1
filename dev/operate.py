"""Run a command of an operator on the stack of this machine: with its admin's and owners' addresses and its keys.

    python dev/operate.py aiops backup --out backups/today
    python dev/operate.py aiops restore backups/today --create-database     (after `make down`)

PostgreSQL is started for the command where the stack is not running, and stopped after it.
"""

import os
import subprocess
import sys
from pathlib import Path

import psycopg

from chassis.embedded.postgres import ADMIN, PostgresServer
from chassis.embedded.process import EmbeddedError
from state import SERVICES, State


def environment(state: State) -> dict[str, str]:
    """What an operator's commands read."""
    base = f"127.0.0.1:{state.ports.postgres}/aiops"
    return {
        **state.shared_environment(),
        "AIOPS_URL": f"http://127.0.0.1:{state.ports.gateway}",
        "AIOPS_ADMIN_DATABASE_URL": f"postgresql://{ADMIN}:{state.secret('postgres_admin')}@{base}",
        **{f"{name.upper()}_OWNER_DATABASE_URL": state.database_url(f"{name}_owner") for name in SERVICES},
        **{f"{name.upper()}_DATABASE_URL": state.database_url(f"{name}_app") for name in SERVICES},
        **os.environ,
    }


def main() -> int:
    """Run the command; its exit code."""
    if not sys.argv[1:]:
        print("usage: python dev/operate.py COMMAND ...   for example: python dev/operate.py aiops migrate expand")
        return 2
    state = State.from_environment()
    state.prepare()
    settings = environment(state)
    # `aiops` of this environment, whether or not it is activated.
    settings["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), settings.get("PATH", os.defpath)))
    try:
        server = None if _answers(settings["AIOPS_ADMIN_DATABASE_URL"]) else _started(state)
    except EmbeddedError as error:
        print(f"PostgreSQL did not start. {error}", file=sys.stderr)
        return 1
    try:
        return subprocess.run(sys.argv[1:], env=settings, check=False).returncode
    except FileNotFoundError:
        print(f"There is no command {sys.argv[1]}.", file=sys.stderr)
        return 127
    finally:
        if server:
            server.stop()


def _answers(admin_url: str) -> bool:
    try:
        psycopg.connect(admin_url.replace("/aiops", "/postgres"), connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _started(state: State) -> PostgresServer:
    return PostgresServer.start(
        state.path("postgres"), state.ports.postgres, password=state.secret("postgres_admin"), dies_with_parent=True
    )


if __name__ == "__main__":
    sys.exit(main())
