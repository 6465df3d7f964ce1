"""Many writes in a row: each has a key of its content, so that it can be sent again without a second effect."""

import time
from collections.abc import Callable
from typing import TypeVar

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from aiops_cli import render
from aiops_cli.failure import ExitCode, Failure

PATIENCE_SECONDS = (0.5, 2.0, 5.0)
"""Pauses between attempts while the stack is away or has too much to do."""

Answer = TypeVar("Answer")


def patiently(send: Callable[[], Answer]) -> Answer:
    """The answer of a write that may be repeated; a stack that is away for moments is waited for.

    Raises:
        Failure: the write was refused, or the stack stayed away.
    """
    for pause in PATIENCE_SECONDS:
        try:
            return send()
        except Failure as failure:
            if failure.code is not ExitCode.UNREACHABLE and failure.reason != "IDEMPOTENCY_IN_PROGRESS":
                raise
            time.sleep(pause)
    return send()


def progress_bar() -> Progress:
    """A bar on standard error, with the count so far and the time that is left."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=render.console_for(stderr=True),
        transient=True,
    )
