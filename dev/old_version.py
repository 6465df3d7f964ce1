"""The version before this one, checked out beside it with an environment of its own, to run both at once.

    python dev/old_version.py     make it where it is missing, and print its Python

dev/old_version.txt names the commit. It lies in .aiops-old/ as a worktree of git. Where its requirements.lock is
this one's, it shares the packages of this environment and has only its own sources; otherwise it gets an
installation of its own.
"""

import fcntl
import os
import shutil
import site
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".aiops-old"
NAMED_IN = "dev/old_version.txt"
DISTRIBUTIONS = ("proto", "chassis", *(f"services/{name}" for name in ("auth", "logs", "tickets", "changelog", "ai")))
TOOLS = ("gateway", "cli")


class OldVersionMissing(Exception):
    """The old version cannot be had; the message says what to type."""


@dataclass(frozen=True)
class OldVersion:
    """The old version, ready to run."""

    commit: str
    folder: Path

    @property
    def python(self) -> Path:
        """Its Python."""
        return self.folder / ".venv" / "bin" / "python"


@contextmanager
def old_version() -> Iterator[OldVersion]:
    """The old version, made at its first use; nobody takes it away while the block runs.

    Raises:
        OldVersionMissing: git does not have the commit, or no environment could be made.
    """
    commit = _commit()
    HOME.mkdir(exist_ok=True)
    made = OldVersion(commit, HOME / commit[:12])
    with _lock(HOME / f"{made.folder.name}.lock", fcntl.LOCK_SH) as using:
        # The upgrade from shared would wait for ever for another one who upgrades: one lock for making it.
        with _lock(HOME / "making.lock", fcntl.LOCK_EX):
            _forget_others(made)
            if not _is_complete(made):
                _make(made)
        assert using
        yield made


def _commit() -> str:
    named = (ROOT / NAMED_IN).read_text().split()
    if not named or len(named[0]) != 40:  # noqa: PLR2004 - a whole SHA-1
        raise OldVersionMissing(f"{NAMED_IN} must begin with the 40 digits of a commit")
    if _git("cat-file", "-e", f"{named[0]}^{{commit}}").returncode != 0:
        remote = (_git("remote").stdout.split() or ["<address of the repository>"])[0]
        raise OldVersionMissing(
            f"this clone lacks the old version that {NAMED_IN} names. Fetch it: git fetch {remote} {named[0]}"
        )
    return named[0]


def _is_complete(made: OldVersion) -> bool:
    return made.python.exists() and (made.folder / ".complete").exists()


def _make(made: OldVersion) -> None:
    _take_away(made.folder)
    added = _git("worktree", "add", "--force", "--detach", str(made.folder), made.commit)
    if added.returncode != 0:
        raise OldVersionMissing(f"git cannot check out the old version: {added.stderr.strip()}")
    same = (made.folder / "requirements.lock").read_bytes() == (ROOT / "requirements.lock").read_bytes()
    _share(made) if same else _install(made)
    (made.folder / ".complete").touch()


def _share(made: OldVersion) -> None:
    """Its sources, then the packages of this environment: a .pth line brings no .pth of the folder that it names."""
    environment = made.folder / ".venv"
    venv.create(environment, with_pip=False, symlinks=True)
    packages = environment / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    sources = [made.folder / "proto" / "python", *(made.folder / name / "src" for name in (*DISTRIBUTIONS[1:], *TOOLS))]
    (packages / "aiops_old.pth").write_text("\n".join(map(str, [*sources, *site.getsitepackages()])) + "\n")


def _install(made: OldVersion) -> None:
    command = ["bash", "dev/install.sh", *DISTRIBUTIONS, *TOOLS]
    environment = {**os.environ, "PYTHON": sys.executable, "VENV": ".venv"}
    done = subprocess.run(command, check=False, cwd=made.folder, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise OldVersionMissing(f"the packages of the old version could not be installed: {done.stderr.strip()[-500:]}")


def _forget_others(made: OldVersion) -> None:
    """Take away what earlier pins left, unless somebody runs it, and what git remembers of folders that are gone."""
    for folder in HOME.iterdir():
        if folder.is_dir() and folder != made.folder:
            with _lock(HOME / f"{folder.name}.lock", fcntl.LOCK_EX | fcntl.LOCK_NB) as alone:
                if alone:
                    _take_away(folder)
    _git("worktree", "prune")


def _take_away(folder: Path) -> None:
    _git("worktree", "remove", "--force", str(folder))
    shutil.rmtree(folder, ignore_errors=True)
    _git("worktree", "prune")


@contextmanager
def _lock(path: Path, how: int) -> Iterator[bool]:
    """Whether the lock was had, for the block."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, how)
        except BlockingIOError:
            yield False
            return
        yield True


def _git(*arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            ["git", *arguments],
            check=False,
            cwd=ROOT,
            capture_output=True,
            text=True,
            # A hook of git's runs this with its own repository in the environment.
            env={name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        )
    except FileNotFoundError as error:
        raise OldVersionMissing("git is needed to check out the old version: apt-get install git") from error


def main() -> int:
    """Make the old version and print its Python; 1 with what to do when that fails."""
    try:
        with old_version() as made:
            print(made.python)
    except OldVersionMissing as missing:
        print(missing, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
