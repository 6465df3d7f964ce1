"""Terraform for the tests: found on the machine with a mirror of its provider, run on a copy of the tree."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.infra.tree import TREE

PROVIDER = "registry.terraform.io/hashicorp/aws"
FETCHED = TREE.parents[1] / "build" / "terraform"
"""Where `make terraform-provider` puts it."""
MIRROR_PARENTS = ("/opt", "/usr/local", "/usr/share", "/usr/lib", "/var/lib")
"""Where operators put a mirror; TF_PLUGIN_MIRROR names any other place."""
FIRST = {"modules": "modules/rds", "envs": "envs/dev"}
LOCK = ".terraform.lock.hcl"
WAIT_SECONDS = 300


class NotHereError(Exception):
    """The machine lacks Terraform or its provider; with what to do."""


@dataclass(frozen=True)
class Terraform:
    """A Terraform that needs no network, on a copy of infra/terraform."""

    program: str
    mirror: Path
    tree: Path

    def run(self, folder: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """What Terraform says in a folder of the copy."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "AWS_"))}
        environment |= {
            "CHECKPOINT_DISABLE": "1",
            "GOGC": "400",  # the provider's schema is large, and each run short: a third less to compute
            "TF_DATA_DIR": str(self.tree / "data" / folder.partition("/")[0]),
            "TF_IN_AUTOMATION": "1",
        }
        return subprocess.run(
            [self.program, *arguments],
            cwd=self.tree / folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=WAIT_SECONDS,
            check=False,
        )

    def initialise(self, folder: str) -> None:
        """Make a folder ready, without its backend; what the first of its kind gets from the mirror does for all."""
        first = self.tree / FIRST[folder.partition("/")[0]]
        if not (first / LOCK).exists():
            options = ["-backend=false", "-input=false", "-no-color", f"-plugin-dir={self.mirror}"]
            done = self.run(str(first.relative_to(self.tree)), "init", *options)
            assert done.returncode == 0, done.stdout + done.stderr
        if not (self.tree / folder / LOCK).exists():
            shutil.copy(first / LOCK, self.tree / folder / LOCK)


def find(into: Path) -> Terraform:
    """Terraform with its provider, and a copy of the tree for it to work on: it writes lock files beside what it reads.

    Raises:
        NotHereError: one of the two is missing.
    """
    program = shutil.which("terraform")
    if program is None:
        raise NotHereError("terraform is not installed: infra/terraform needs 1.11 or newer")
    tree = into / "terraform"
    shutil.copytree(TREE, tree, ignore=shutil.ignore_patterns(".terraform*"))
    return Terraform(program, _mirror(), tree)


def _mirror() -> Path:
    named = os.environ.get("TF_PLUGIN_MIRROR")
    parents = [Path(named).resolve()] if named else [FETCHED, *map(Path, MIRROR_PARENTS)]
    for parent in parents:
        for depth in range(1 if named else 4):
            for folder in sorted(parent.glob("*/" * depth + PROVIDER)):
                if any(folder.rglob("terraform-provider-aws*")):
                    return folder.parents[len(Path(PROVIDER).parts) - 1]
    raise NotHereError(
        "the provider hashicorp/aws is not here: fetch it with `make terraform-provider`, or name a mirror of it in "
        "TF_PLUGIN_MIRROR"
    )
