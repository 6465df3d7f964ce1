"""Where a command reads from: a file, a gzipped file, or standard input."""

import gzip
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from aiops_cli.failure import ExitCode, Failure


@contextmanager
def open_source(file: str, example: str, *, unpack: bool = True) -> Iterator[BinaryIO]:
    """The bytes of a file or of standard input (`-`); a .gz file is unpacked unless told otherwise.

    Raises:
        Failure: nothing is piped in, the file cannot be read, or it is no gzip although it ends in .gz.
    """
    if file == "-":
        if sys.stdin.isatty():
            raise Failure(f"Nothing is piped in. Example: {example}", ExitCode.USAGE)
        yield sys.stdin.buffer
        return
    try:
        with Path(file).open("rb") as plain:
            yield cast("BinaryIO", gzip.GzipFile(fileobj=plain)) if unpack and file.endswith(".gz") else plain
    except (gzip.BadGzipFile, EOFError) as error:
        raise Failure(f"{file} ends in .gz but is no whole gzip file.") from error
    except OSError as error:
        raise Failure(f"{file} cannot be read: {error.strerror or error}.", ExitCode.USAGE) from error
