"""Print the part of requirements.lock that the named distributions or packages need, hashes included.

The lock file holds everything, tests and tools too; an image needs a fifth of it. What a package needs is read from the
lock's own `# via` lines, so there is still one lock file and nothing is resolved twice.

    python dev/lock_subset.py services/logs > runtime.lock
    python dev/lock_subset.py hatchling > backend.lock
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OURS = {
    "aiops-proto": "proto",
    "aiops-chassis": "chassis",
    "aiops-logs": "services/logs",
    "aiops-changelog": "services/changelog",
    "aiops-ai": "services/ai",
}
UNASKED = {"nkeys"}
"""Of an extra that the lock holds and no distribution of ours asks for; this one is published as source alone."""


def canonical(requirement: str) -> str:
    """Name of a requirement as the lock file spells it: lower case, dashes, no extras, no version."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0]).lower()


def direct(folder: str) -> set[str]:
    """Names that the distribution in the folder asks for, our own distributions resolved; or the package itself."""
    if not (ROOT / folder).is_dir():
        return {canonical(folder)}
    names: set[str] = set()
    project = tomllib.loads((ROOT / folder / "pyproject.toml").read_text())["project"]
    for name in map(canonical, project["dependencies"]):
        names |= direct(OURS[name]) if name in OURS else {name}
    return names


def blocks(lock: str) -> dict[str, tuple[str, set[str]]]:
    """Each pinned package's text (pin and hashes) and the packages that ask for it."""
    result: dict[str, tuple[str, set[str]]] = {}
    for block in re.split(r"\n(?=[A-Za-z0-9])", lock.strip()):
        comments = " ".join(line.strip("# ") for line in block.splitlines() if line.lstrip().startswith("#"))
        parents = {canonical(word) for word in comments.removeprefix("via").split()}
        pin = "\n".join(line for line in block.splitlines() if not line.lstrip().startswith("#"))
        result[canonical(block)] = (pin, parents)
    return result


def closure(folders: list[str], lock: str) -> list[str]:
    """Pins of everything that the distributions in the folders need, in the order of the lock file."""
    pinned = blocks(lock)
    needed = set().union(*(direct(folder) for folder in folders))
    missing = needed - pinned.keys()
    if missing:
        raise SystemExit(
            f"not in requirements.lock: {', '.join(sorted(missing))}; add them to requirements.in, then make lock"
        )
    grown = True
    while grown:
        more = {name for name, (_, parents) in pinned.items() if parents & needed} - needed - UNASKED
        needed |= more
        grown = bool(more)
    return [pin for name, (pin, _) in pinned.items() if name in needed]


if __name__ == "__main__":
    print("\n".join(closure(sys.argv[1:], (ROOT / "requirements.lock").read_text())))
