"""Checkov for tests: what it finds in a folder, or a skip where it cannot be installed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).resolve().parents[2] / "dev" / "checkov.py"
FINDINGS, CANNOT_INSTALL = 1, 3


def run_checkov(folder: Path, framework: str) -> list[str]:
    """One line for each finding of a framework: terraform, kubernetes, dockerfile."""
    command = [sys.executable, str(PROGRAM), str(folder), framework]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode == CANNOT_INSTALL and not os.environ.get("CI"):
        pytest.skip(done.stderr.strip())
    assert done.returncode in {0, FINDINGS}, done.stderr
    return done.stdout.splitlines() if done.returncode else []
