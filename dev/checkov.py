"""Checkov, the checker of infrastructure, manifests and images: prints what it finds, and fails if that is anything.

    python dev/checkov.py infra/terraform terraform

It has a virtual environment of its own, since its packages would hold back ours: pinned with hashes in
dev/checkov.lock, installed once (25 s), and again only after a change of the lock. To pin anew:
`uv pip compile --generate-hashes --no-emit-index-url --no-header --upgrade -o dev/checkov.lock - <<< checkov`.
Exceptions stand in the checked files, each with its reason.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "dev" / "checkov.lock"
WAIT_SECONDS = 600
CANNOT_INSTALL = 3
"""Exit status for whoever can do without: 1 is findings, 2 that there was nothing to check."""


class CannotInstallError(Exception):
    """No registry gave the packages; with pip's words."""


def install(folder: Path) -> Path:
    """The program, which is installed into the folder unless what is there already comes from this lock.

    Raises:
        CannotInstallError: pip failed.
    """
    wanted, stamp = hashlib.sha256(LOCK.read_bytes()).hexdigest(), folder / ".installed"
    if not stamp.is_file() or stamp.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
        options = ["--quiet", "--no-compile", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
        done = _run([*pip, *options, "-r", str(LOCK)])
        if done.returncode:
            raise CannotInstallError(
                f"checkov could not be installed from dev/checkov.lock:\n{done.stdout}{done.stderr}"
            )
        stamp.write_text(wanted)
    return folder / "bin" / "checkov"


def check(folder: Path, framework: str) -> list[str]:
    """What the checks of a framework (terraform, kubernetes, dockerfile) find wrong in a folder or file; sorted lines.

    Raises:
        CannotInstallError: it is not installed, and cannot be.
        RuntimeError: it could not read what it was given, or found nothing of that framework to check.
    """
    with _alone(Path(sys.prefix) / "checkov.flock"):
        program = install(Path(sys.prefix) / "checkov")
    target = ["--file" if folder.is_file() else "--directory", str(folder)]
    options = ["--framework", framework, "--skip-download", "--compact", "--quiet", "--output", "json"]
    done = _run([str(program), *target, *options])
    try:
        report: Any = json.loads(done.stdout)
    except json.JSONDecodeError:
        raise RuntimeError(f"checkov gave no report on {folder}:\n{done.stdout}{done.stderr}") from None
    summary = report.get("summary", report)
    if summary["parsing_errors"] or not summary["passed"]:
        raise RuntimeError(f"checkov found nothing to check in {folder}, or could not read it: {summary}")
    return sorted(map(_line, report["results"]["failed_checks"]))


def _line(finding: dict[str, Any]) -> str:
    place = f"{finding['repo_file_path'].lstrip('/')}:{finding['file_line_range'][0]}"
    return f"{place} {finding['check_id']} {finding['resource']}: {finding['check_name']}"


def _run(command: list[str]) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "LOG_LEVEL": "ERROR"}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False
    )


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """One process at a time: test workers start together."""
    with file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def main() -> None:
    """Check one folder or file for one framework."""
    if len(sys.argv) != 3:  # noqa: PLR2004 - a folder and a framework
        sys.exit("Usage: python dev/checkov.py FOLDER terraform|kubernetes|dockerfile")
    try:
        findings = check(Path(sys.argv[1]).resolve(), sys.argv[2])
    except (CannotInstallError, RuntimeError) as failure:
        print(failure, file=sys.stderr)
        sys.exit(CANNOT_INSTALL if isinstance(failure, CannotInstallError) else 2)
    print("\n".join(findings))
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
