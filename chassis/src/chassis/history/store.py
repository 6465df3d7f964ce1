"""Where anchors and erasures are kept outside of the database: lines that are only ever added.

A line that came already is not added again: whoever is not sure whether it arrived sends it once more.
"""

import asyncio
import os
import urllib.request
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote

from chassis.errors import Unavailable

TIMEOUT_SECONDS = 10


class Store(Protocol):
    """Takes lines."""

    async def append(self, name: str, line: str) -> None:
        """Keep the line under this name, for good.

        Raises:
            Unavailable: it could not be stored.
        """
        ...


class FolderStore:
    """One file for each name, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def append(self, name: str, line: str) -> None:
        """Add the line, and return when it is on the disk.

        Raises:
            Unavailable: the folder cannot be written.
        """
        try:
            await asyncio.to_thread(self._append, name, line)
        except OSError as error:
            message = f"{self.folder} cannot be written; set AIOPS_ANCHOR_URL to a folder that can be, or to an address"
            raise Unavailable(message, dependency="anchor store") from error

    def lines(self, name: str) -> list[str]:
        """The lines under a name; none where there is no file."""
        path = self.folder / name
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def _append(self, name: str, line: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        whole = line.encode() + b"\n"
        with (self.folder / name).open("a+b") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - len(whole) - 1))
            begun = file.read().split(b"\n")
            if begun[-1] == b"" and len(begun) > 1 and begun[-2] == line.encode():
                return
            # After a power cut a part of this line may be there: whoever wrote it was told of no success.
            file.write(whole[len(begun[-1]) :] if whole.startswith(begun[-1]) else b"\n" + whole)
            file.flush()
            os.fsync(file.fileno())
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class WebStore:
    """An address that stores what is POSTed to it."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def append(self, name: str, line: str) -> None:
        """Send the line, and return when it was taken.

        Raises:
            Unavailable: it was not.
        """
        try:
            await asyncio.to_thread(self._post, name, line)
        except OSError as error:
            raise Unavailable(
                "the anchor store took no anchor; check AIOPS_ANCHOR_URL", dependency="anchor store"
            ) from error

    def _post(self, name: str, line: str) -> None:
        headers = {"Content-Type": "application/json", "Aiops-Anchor-File": name}
        request = urllib.request.Request(self._url, line.encode(), headers, method="POST")  # noqa: S310 - checked by store_at
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):  # noqa: S310 - as above
            pass


def store_at(url: str) -> FolderStore | WebStore:
    """The store that an AIOPS_ANCHOR_URL names.

    Raises:
        ValueError: it names none.
    """
    if url.startswith(("http://", "https://")):
        return WebStore(url)
    if url.startswith("file:") and len(url) > len("file:"):
        return FolderStore(Path(unquote(url.removeprefix("file://").removeprefix("file:"))))
    raise ValueError("AIOPS_ANCHOR_URL must be file:<folder>, or an address that begins with http:// or https://")
