"""A disk of its own for a server's data: an ext4 image on a loop device, which can lose its power or run full.

A power cut keeps what was synced and nothing else: the server is stopped, the image copied as the disk holds it at that
moment, the server killed, and the copy takes the place of the image.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


class NoDisks(Exception):
    """This machine mounts no images; the message says why."""


@dataclass
class Disk:
    """One mounted image."""

    image: Path
    mount: Path
    cuts: int = 0
    _mounted: bool = field(default=False)

    def make(self, megabytes: int) -> None:
        """Make a file system and mount it.

        Raises:
            NoDisks: that takes root, loop devices and mkfs.ext4.
        """
        if os.geteuid() != 0:
            raise NoDisks("mounting an image takes root")
        if shutil.which("mkfs.ext4") is None or not Path("/dev/loop-control").exists():
            raise NoDisks("there is no mkfs.ext4, or there are no loop devices (/dev/loop-control)")
        with self.image.open("wb") as file:
            file.truncate(megabytes * 1_000_000)
        _run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(self.image))
        self.mount.mkdir(parents=True, exist_ok=True)
        self.attach()
        self.mount.chmod(0o777)

    def attach(self) -> None:
        """Mount the image.

        Raises:
            NoDisks: the kernel does not let us.
        """
        mounted = subprocess.run(
            ["mount", "-o", "loop", str(self.image), str(self.mount)], capture_output=True, text=True, check=False
        )
        if mounted.returncode != 0:
            raise NoDisks(f"mount refuses: {mounted.stderr.strip()}")
        self._mounted = True

    def snapshot(self) -> Path:
        """What the disk holds at this moment, without anything that nobody synced.

        The loop device writes through the page cache of the image, and a file read there is what the device was given.
        """
        self.cuts += 1
        copy = self.image.with_suffix(f".{self.cuts}")
        _run("cp", str(self.image), str(copy))
        return copy

    def replace_by(self, copy: Path) -> None:
        """Let what a snapshot holds be on the disk from now on."""
        self.detach()
        self.image.unlink()
        copy.rename(self.image)
        self.attach()

    def detach(self) -> None:
        """Unmount, whoever still reads there."""
        if self._mounted:
            _run("umount", "--lazy", str(self.mount))
            self._mounted = False


@contextmanager
def disk(name: str, megabytes: int) -> Iterator[Disk]:
    """A mounted disk, gone after the block.

    Raises:
        NoDisks: this machine mounts none.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"aiops-disk-{name}-"))
    folder.chmod(0o755)
    made = Disk(folder / "image", folder / "mount")
    try:
        made.make(megabytes)
        yield made
    finally:
        made.detach()
        shutil.rmtree(folder, ignore_errors=True)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
