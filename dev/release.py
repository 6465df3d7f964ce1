"""What a release consists of: its version in every file that names one, its notes, and its charts with checksums.

python dev/release.py notes 1.4.0      print the notes since the release before, by the product's own command
python dev/release.py pack 1.4.0       check the version, and write notes, charts and checksums to build/release
python dev/release.py publish 1.4.0    make a release of the pushed tag v1.4.0 out of build/release, with `gh`
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import yaml

import helm

ROOT = Path(__file__).resolve().parent.parent
VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?")
OURS = ("*/pyproject.toml", "services/*/pyproject.toml")


class ReleaseError(Exception):
    """The release cannot be made; the message says what to do."""


def versions_named(root: Path) -> dict[str, str]:
    """Every version that a file of the tree names as that of the product, by file."""
    found = {}
    for pattern in OURS:
        for file in root.glob(pattern):
            found[str(file.relative_to(root))] = str(tomllib.loads(file.read_text())["project"]["version"])
    for file in root.glob("charts/*/Chart.yaml"):
        chart = yaml.safe_load(file.read_text())
        found[str(file.relative_to(root))] = str(chart["version"])
        if "appVersion" in chart:
            found[f"{file.relative_to(root)} (appVersion)"] = str(chart["appVersion"])
    return found


def check(root: Path, version: str) -> None:
    """Refuse a version that the tree does not name throughout.

    Raises:
        ReleaseError: it is no version, or a file names another one.
    """
    if not VERSION.fullmatch(version):
        raise ReleaseError(f"VERSION is {version!r}; it is a semantic version such as VERSION=1.4.0")
    others = {file: named for file, named in versions_named(root).items() if named != version}
    if others:
        told = "\n".join(f"  {file}: {named}" for file, named in sorted(others.items()))
        raise ReleaseError(f"the tree is not at {version}; set the version in\n{told}")


def notes(root: Path, version: str) -> str:
    """The release notes: every commit since the release before is in an entry, or left out with a reason.

    Raises:
        ReleaseError: the history does not tell.
    """
    tag = f"v{version}"
    tagged = subprocess.run(
        ["git", "rev-parse", "--verify", "--quiet", tag], cwd=root, capture_output=True, check=False
    )
    end = tag if tagged.returncode == 0 else "HEAD"
    command = [sys.executable, "-m", "aiops_cli", "changelog", "--repo", str(root), f"..{end}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ReleaseError(done.stderr.strip())
    return done.stdout


def pack_charts(root: Path, folder: Path) -> None:
    """Pack the umbrella chart, with the charts in it, into the folder.

    Raises:
        ReleaseError: there is no helm, or it refuses.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as homes:
        try:
            command = [str(helm.ready()), "package", str(root / "charts" / "aiops"), "--destination", str(folder)]
        except helm.CannotInstallError as error:
            raise ReleaseError(str(error)) from error
        done = subprocess.run(command, env=helm.environment(Path(homes)), capture_output=True, text=True, check=False)
    if done.returncode:
        raise ReleaseError(f"the chart could not be packed: {done.stderr.strip()}")


def pack(root: Path, version: str, folder: Path) -> list[Path]:
    """Write the files of the release, and SHA256SUMS over them.

    Raises:
        ReleaseError: the version is not that of the tree, or a chart cannot be packed.
    """
    check(root, version)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "notes.md").write_text(notes(root, version))
    pack_charts(root, folder)
    files = sorted(folder.iterdir())
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    (folder / "SHA256SUMS").write_text("".join(sums))
    return [*files, folder / "SHA256SUMS"]


def publish(version: str, folder: Path) -> None:
    """Make a release of the tag out of the packed files; the tag has to be there already.

    Raises:
        ReleaseError: there is no `gh`, nothing was packed, or the release was refused.
    """
    if shutil.which("gh") is None:
        raise ReleaseError("gh, the command of the place that hosts the releases, is not installed")
    files = sorted(str(file) for file in folder.glob("*") if file.name != "notes.md")
    if not any(version in Path(file).name for file in files):
        raise ReleaseError(f"nothing of {version} is packed in {folder}; first: make release VERSION={version}")
    options = ["--verify-tag", "--title", version, "--notes-file", str(folder / "notes.md")]
    done = subprocess.run(
        ["gh", "release", "create", f"v{version}", *options, *files], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ReleaseError(f"the release was refused: {done.stderr.strip()}")


def main() -> int:
    """Run one command; returns the exit code."""
    parser = argparse.ArgumentParser(description="Make a release.")
    parser.add_argument("command", choices=["notes", "charts", "pack", "publish"])
    parser.add_argument("version", nargs="?", default=os.environ.get("VERSION", ""), help="default: $VERSION")
    arguments = parser.parse_args()
    folder, version = ROOT / "build" / "release", arguments.version.removeprefix("v")
    try:
        if arguments.command == "notes":
            print(notes(ROOT, version), end="")
        elif arguments.command == "charts":
            pack_charts(ROOT, ROOT / "build" / "charts")
        elif arguments.command == "pack":
            for file in pack(ROOT, version, folder):
                print(file.relative_to(ROOT))
        else:
            publish(version, folder)
    except ReleaseError as error:
        print(f"No release: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
