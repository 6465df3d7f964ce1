"""A PostgreSQL that speaks TLS, for tests: prints its programs' folder; Debian's is installed where there is none.

The wheel that everything else runs on is built without TLS.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from node import alone

FOLDERS = Path("/usr/lib/postgresql")
OLDEST = 15
HINT = f"no PostgreSQL {OLDEST} or newer with TLS is below {FOLDERS}; on Debian: apt-get install postgresql"
INSTALL_SECONDS = 600


class PostgresMissing(Exception):
    """There is none and it cannot be installed; the message says what to do."""


def find_postgres() -> Path:
    """The folder of initdb and postgres.

    Raises:
        PostgresMissing: there is none and it cannot be installed.
    """
    with alone("postgres"):
        found = _installed()
        if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
            _install()
            found = _installed()
    if found is None:
        raise PostgresMissing(HINT)
    return found


def _installed() -> Path | None:
    versions = sorted((int(each.name) for each in FOLDERS.glob("[0-9]*") if each.name.isdigit()), reverse=True)
    folders = [FOLDERS / str(version) / "bin" for version in versions if version >= OLDEST]
    return next((folder for folder in folders if os.access(folder / "postgres", os.X_OK)), None)


def _install() -> None:
    """Install the programs without Debian's habit of starting a server with them."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    without = Path("/etc/postgresql-common/createcluster.d/aiops.conf")
    without.parent.mkdir(parents=True, exist_ok=True)
    without.write_text("create_main_cluster = false\n")
    install = ["apt-get", "install", "-y", "--no-install-recommends", "postgresql"]
    for command in (["apt-get", "update"], install):
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
        )
        if done.returncode and command is install:
            raise PostgresMissing(f"{HINT}, which failed here:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


if __name__ == "__main__":
    try:
        print(find_postgres())
    except PostgresMissing as missing:
        sys.exit(str(missing))
