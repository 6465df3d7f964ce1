"""Builds every image, one after the other, and prints their sizes: what `make images` runs.

    PYTHONPATH=dev python -m images.build [--base local] [--only IMAGE]...

VERSION is the tag (default: that of the distributions). --base local makes the base image from Debian's packages first,
for a machine that cannot pull it.
"""

import argparse
import os
import subprocess
import sys
import time
import tomllib

from rich.console import Console
from rich.table import Table

from images.engine import ROOT, NoEngine, find_engine, says

BASE = "python:3.11-slim-bookworm"
PRODUCT = ("auth", "logs", "tickets", "changelog", "ai", "gateway", "dashboard", "migrate")
IMAGES = (*PRODUCT, "engines")
MAX_BYTES = 250_000_000


class BuildError(Exception):
    """An image could not be made as it must be; the message says why and what to do."""


def version() -> str:
    """The tag of this build's images."""
    project = tomllib.loads((ROOT / "cli" / "pyproject.toml").read_text())["project"]
    return (os.environ.get("VERSION") or str(project["version"])).removeprefix("v")


def ensure_base(engine: str, *, local: bool) -> None:
    """Return when the image that the Dockerfile starts from is there.

    Raises:
        BuildError: it is not, and cannot be had so.
    """
    if says(engine, "image", "inspect", "--format", "{{.Id}}", BASE):
        return
    if local:
        print(f"Making {BASE} from Debian's packages")
        if subprocess.run([ROOT / "dev/images/local_base.sh", engine, BASE], check=False).returncode:
            raise BuildError(f"{BASE} could not be made; what stands above says why.")
    elif subprocess.run([engine, "pull", BASE], check=False).returncode:
        raise BuildError(
            f"{BASE} cannot be pulled. Make it here: sudo apt-get install mmdebstrap; make images BASE=local"
        )


def build(engine: str, image: str, tag: str, revision: str) -> tuple[int, float]:
    """Build one image; its size in bytes and the seconds that it took.

    Raises:
        BuildError: the build failed.
    """
    started = time.monotonic()
    name = f"aiops-{image}:{tag}"
    arguments = {"IMAGE": image, "VERSION": tag, "REVISION": revision}
    options = [part for key, value in arguments.items() for part in ("--build-arg", f"{key}={value}")]
    done = subprocess.run(
        [engine, "build", "--progress", "plain", *options, "--tag", name, "."],
        cwd=ROOT,
        env={**os.environ, "DOCKER_BUILDKIT": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BuildError(f"{name} could not be built:\n{done.stdout[-4000:]}")
    return int(says(engine, "image", "inspect", "--format", "{{.Size}}", name)), time.monotonic() - started


def build_pages() -> None:
    """Make dashboard/dist current, on this machine: the same files go to an image, a local stack and an object store.

    Raises:
        BuildError: they cannot be built.
    """
    if subprocess.run(
        [sys.executable, ROOT / "dev" / "dashboard.py"], stdout=subprocess.DEVNULL, check=False
    ).returncode:
        raise BuildError("dashboard/dist could not be built; what stands above says why.")


def main() -> int:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(description="Build every image of AI Ops Assistant.")
    parser.add_argument("--base", choices=("pulled", "local"), default="pulled", help=f"where {BASE} comes from")
    parser.add_argument("--only", action="append", choices=IMAGES, help="build these alone")
    arguments = parser.parse_args()
    console = Console()
    try:
        engine = find_engine()
        ensure_base(engine, local=arguments.base == "local")
        revision = says("git", "-C", str(ROOT), "rev-parse", "HEAD") or "unknown"
        table = Table("image", "MB", "built in s")
        large = []
        chosen = arguments.only or IMAGES
        if "dashboard" in chosen:
            build_pages()
        for image in chosen:
            console.print(f"Building aiops-{image}:{version()}", highlight=False)
            size, seconds = build(engine, image, version(), revision)
            table.add_row(f"aiops-{image}:{version()}", f"{size / 1e6:.0f}", f"{seconds:.1f}")
            if size > MAX_BYTES:
                large.append(image)
        console.print(table)
        for image in large:
            print(f"aiops-{image} is larger than {MAX_BYTES / 1e6:.0f} MB: leave out what no process reads.")
    except (NoEngine, BuildError) as error:
        console.print(f"[red]{error}[/red]", highlight=False, soft_wrap=True)
        return 1
    return 1 if large else 0


if __name__ == "__main__":
    sys.exit(main())
