"""Many writes in a row: each has a key of its content, so that it can be sent again without a second effect."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from aiops_cli import render
from aiops_cli.failure import ExitCode, Failure

PATIENCE_SECONDS = (0.5, 2.0, 5.0)
"""Pauses between tries while the stack is away or has too much to do."""
LAST_TRY_SECONDS = 30.0
"""After so long no further try begins: a service that hangs takes seconds of each."""

Answer = TypeVar("Answer")


def patiently(send: Callable[[], Answer], progress: Progress) -> Answer:
    """The answer of a write that may be repeated; a stack that is away for moments is waited for, and that is told.

    Raises:
        Failure: the write was refused, or the stack stayed away.
    """
    began = time.monotonic()
    tries = len(PATIENCE_SECONDS) + 1
    with _told(progress) as tell:
        for number, pause in enumerate(PATIENCE_SECONDS, start=2):
            try:
                return send()
            except Failure as failure:
                away = failure.code is ExitCode.UNREACHABLE or failure.reason == "IDEMPOTENCY_IN_PROGRESS"
                if not away or time.monotonic() - began + pause > LAST_TRY_SECONDS:
                    raise
                tell(f"Waiting for the stack, try {number} of {tries}")
            time.sleep(pause)
        return send()


@contextmanager
def _told(progress: Progress) -> Iterator[Callable[[str], None]]:
    """Says what is waited for in the place of the bar's name, and where there is no bar on a line of its own."""
    task = progress.tasks[-1]
    name = task.description

    def tell(text: str) -> None:
        if progress.console.is_terminal:
            progress.update(task.id, description=text)
        else:
            progress.console.print(text)

    try:
        yield tell
    finally:
        progress.update(task.id, description=name)


def progress_bar() -> Progress:
    """A bar on standard error, with the count so far and the time that is left."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=render.console_for(stderr=True),
        transient=True,
    )
