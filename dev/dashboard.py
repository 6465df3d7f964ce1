"""The built dashboard: dashboard/dist is what its sources say; `check` generates, type-checks, lints and tests it."""

import sys
from pathlib import Path

from node import DASHBOARD, ROOT, Node, alone, digest, install_packages, ready_node, run, stamp

SCHEMA = ROOT / "gateway" / "src" / "gateway" / "schema.graphql"
STEPS = ("codegen", "types", "lint", "test")


def sources() -> list[Path]:
    """Every file that the build depends on."""
    folders = (DASHBOARD / "src", DASHBOARD / "public")
    below = [file for folder in folders for file in folder.rglob("*") if file.is_file() and "gql" not in file.parts]
    return sorted([*below, *(file for file in DASHBOARD.iterdir() if file.is_file()), SCHEMA])


def _npm(node: Node, script: str) -> None:
    failure = f"npm run {script} failed in dashboard"
    run([*node.npm, "run", "--silent", script], failure, cwd=DASHBOARD, environment=node.environment())


def build() -> Path:
    """The folder of the built dashboard.

    Raises:
        SystemExit: it cannot be built; with the words of the tool.
    """
    dist = DASHBOARD / "dist"
    with alone("dashboard"):
        wanted = digest(*sources())
        if stamp(dist) != wanted:
            node = ready_node()
            install_packages(node, DASHBOARD)
            _npm(node, "codegen")
            _npm(node, "bundle")
            (dist / ".installed").write_text(wanted)
    return dist


def check() -> None:
    """Generate, type-check, lint and test.

    Raises:
        SystemExit: a step failed; with its words.
    """
    with alone("dashboard"):
        node = ready_node()
        install_packages(node, DASHBOARD)
        for step in STEPS:
            _npm(node, step)


if __name__ == "__main__":
    if sys.argv[1:] == ["check"]:
        check()
    else:
        print(build().relative_to(ROOT))
