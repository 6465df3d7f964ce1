"""Shell scripts: no finding of shellcheck, and a word about what is missing before anything is done."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted(file for file in (ROOT / "dev").rglob("*.sh") if "node_modules" not in file.parts)


def test_shellcheck_finds_nothing() -> None:
    shellcheck = Path(sys.executable).with_name("shellcheck")

    done = subprocess.run([shellcheck, *SCRIPTS], capture_output=True, text=True, timeout=60, check=False)

    assert len(SCRIPTS) >= 5
    assert (done.returncode, done.stdout) == (0, "")


def test_the_kind_cluster_says_which_tools_are_missing(tmp_path: Path) -> None:
    for program in ("bash", "dirname"):
        (tmp_path / program).symlink_to(str(shutil.which(program)))

    done = subprocess.run(
        [ROOT / "dev" / "kind" / "up.sh"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.startswith("Not installed: docker kind kubectl helm. Needed are Docker, kind, kubectl and Helm")


def test_scripts_can_be_started() -> None:
    assert [file for file in SCRIPTS if not os.access(file, os.X_OK)] == []
