"""Which container engine this machine has, and what to install where it has none."""

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILDKIT_APART = 23
"""Docker's client builds with BuildKit by itself up to the version before; from here on it needs the plugin buildx."""
INSTALL = (
    "On Debian and Ubuntu: sudo apt-get install docker.io docker-compose\n"
    "Anywhere else: Docker Engine with its buildx and compose plugins, or Docker Desktop."
)


class NoEngine(Exception):
    """Nothing here can build or run images; the message says what to do."""


def find_engine() -> str:
    """The docker command that reaches an engine and can build with BuildKit; AIOPS_ENGINE names another one.

    Raises:
        NoEngine: there is none.
    """
    named = os.environ.get("AIOPS_ENGINE")
    candidates = [named] if named else _on_path("docker")
    if not candidates:
        raise NoEngine(f"No container engine is installed.\n{INSTALL}")
    reached = [each for each in candidates if says(each, "info", "--format", "{{.ServerVersion}}")]
    if not reached:
        raise NoEngine(
            f"{candidates[0]} is installed, but no engine answers it. Start one (sudo systemctl start docker), join "
            "its group (sudo usermod -aG docker $USER, then log in again), or set DOCKER_HOST."
        )
    for each in reached:
        version = says(each, "version", "--format", "{{.Client.Version}}").partition(".")[0]
        if named or (version.isdigit() and int(version) < BUILDKIT_APART) or says(each, "buildx", "version"):
            return each
    raise NoEngine(f"{reached[0]} cannot build with BuildKit: its plugin buildx is missing.\n{INSTALL}")


def find_compose(engine: str) -> list[str]:
    """The command that runs compose.yaml: the engine's plugin, or else docker-compose 1.29.

    Raises:
        NoEngine: there is neither.
    """
    if says(engine, "compose", "version"):
        return [engine, "compose"]
    found = shutil.which("docker-compose")
    if found is None:
        raise NoEngine(f"Neither `docker compose` nor `docker-compose` is installed.\n{INSTALL}")
    return [found]


def says(*command: str) -> str:
    """The first line that a command prints; empty when it fails, or prints none."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout.strip().partition("\n")[0] if done.returncode == 0 else ""


def _on_path(program: str) -> list[str]:
    """Every program of that name, each once, in the order of PATH."""
    found: dict[Path, str] = {}
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        path = Path(folder or ".") / program
        if path.is_file() and os.access(path, os.X_OK):
            found.setdefault(path.resolve(), str(path))
    return list(found.values())
