"""A Chromium for the tests of pages: prints where it is; installs Debian's where there is none and that is allowed."""

import os
import shutil
import subprocess
import sys

from node import alone

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HINT = "no Chromium is on PATH; on Debian: apt-get install chromium"
INSTALL_SECONDS = 600


class BrowserMissing(Exception):
    """There is no Chromium and it cannot be installed; the message says what to do."""


def find_browser() -> str:
    """Path of a Chromium.

    Raises:
        BrowserMissing: there is none and it cannot be installed.
    """
    with alone("browser"):
        found = _on_path()
        if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
            _install()
            found = _on_path()
    if found is None:
        raise BrowserMissing(HINT)
    return found


def _on_path() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def _install() -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core"]
    for command in (["apt-get", "update"], install):
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
        )
        if done.returncode and command is install:
            raise BrowserMissing(f"{HINT}, which failed here:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


if __name__ == "__main__":
    try:
        print(find_browser())
    except BrowserMissing as missing:
        sys.exit(str(missing))
