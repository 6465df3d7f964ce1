"""What a backup says of itself: its files with their checksums, the versions that made it, how many rows it holds."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from aiops_cli.failure import Failure

NAME = "manifest.json"
DUMP = "database.dump"
FORMAT = 1
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class File:
    """One file of a backup."""

    name: str
    bytes: int
    sha256: str

    @classmethod
    def of(cls, folder: Path, path: Path) -> Self:
        """The file as it is now."""
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
        return cls(path.relative_to(folder).as_posix(), path.stat().st_size, digest.hexdigest())


@dataclass(frozen=True)
class Manifest:
    """One backup."""

    format: int
    made_at: str
    """By the database's clock: all that was committed by then is in it."""
    aiops_version: str
    database: str
    server_version: int
    """PostgreSQL's major version."""
    dump_version: int
    """Major version of the pg_dump that wrote it; no older pg_restore reads it."""
    anchors: str
    """Whether anchors and erasures are in the backup ("copied"), or kept by a store of their own ("elsewhere")."""
    rows: dict[str, int]
    """How many rows each table had."""
    files: list[File]

    def write(self, folder: Path) -> None:
        """Write it beside what it tells of."""
        path = folder / NAME
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The backup in a folder, every file of which is as it was written.

        Raises:
            Failure: there is none, or a file is missing or damaged.
        """
        try:
            content: dict[str, Any] = json.loads((folder / NAME).read_text(encoding="utf-8"))
            manifest = cls(**{**content, "files": [File(**each) for each in content["files"]]})
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Failure(f"{folder} holds no whole backup: {NAME} cannot be read. Nothing was written.") from error
        if manifest.format != FORMAT:
            raise Failure(
                f"{folder} is a backup of format {manifest.format}, this command reads format {FORMAT}. "
                "Use the version of aiops that made it. Nothing was written."
            )
        for file in manifest.files:
            manifest.check(folder, file)
        return manifest

    def check(self, folder: Path, file: File) -> None:
        """Pass when the file is as it was written.

        Raises:
            Failure: it is not.
        """
        path = folder / file.name
        if ".." in Path(file.name).parts or not path.is_file():
            raise Failure(f"{file.name} of the backup in {folder} is missing. Nothing was written.")
        if File.of(folder, path) != file:
            raise Failure(
                f"{file.name} of the backup in {folder} is damaged: its checksum is another one. Take another copy or "
                "another backup. Nothing was written."
            )
