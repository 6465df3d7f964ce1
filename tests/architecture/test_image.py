"""What an image installs is what the code in it imports."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = [*sorted(f"services/{path.parent.name}" for path in ROOT.glob("services/*/pyproject.toml")), "gateway"]
LEFT_OUT = {"testing", "embedded"}
OURS = {"aiops", "chassis", "gateway"}


def modules(folder: str) -> Iterator[str]:
    for path in (ROOT / folder / "src").rglob("*.py"):
        if LEFT_OUT.isdisjoint(path.parts):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    yield from (alias.name for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module:
                    yield node.module


@pytest.mark.parametrize("folder", FOLDERS)
def test_an_image_holds_every_package_that_its_code_imports(folder: str) -> None:
    subset = subprocess.run(
        [sys.executable, "dev/lock_subset.py", folder], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    installed = {line.partition("==")[0] for line in subset.splitlines() if "==" in line}
    owners = packages_distributions()

    tops = {module.partition(".")[0] for of in (folder, "chassis") for module in modules(of)}
    foreign = {top for top in tops - sys.stdlib_module_names - OURS if not top.endswith("_service")}
    missing = {
        top for top in foreign if installed.isdisjoint(name.lower().replace("_", "-") for name in owners.get(top, ()))
    }

    assert {"grpc", "psycopg", "yaml"} <= foreign
    assert missing == set()


def test_no_image_holds_what_only_tests_and_one_machine_need() -> None:
    for folder in ("chassis", "gateway"):
        project = (ROOT / folder / "pyproject.toml").read_text()
        parts = {path.name for path in (ROOT / folder / "src" / folder).iterdir() if path.name in LEFT_OUT}

        assert [part for part in sorted(parts) if f'"src/{folder}/{part}"' not in project] == []
