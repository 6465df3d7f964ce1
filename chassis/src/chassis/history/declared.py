"""Finds the histories of a service by name, for commands of operators that stand on no service."""

from importlib import import_module
from importlib.util import find_spec

from chassis.history.document import History


def declared_histories(package: str) -> tuple[History, ...]:
    """The `HISTORIES` of the package's `documents`; none where there is no such module."""
    if find_spec(f"{package}.documents") is None:
        return ()
    histories: tuple[History, ...] = tuple(import_module(f"{package}.documents").HISTORIES)
    return histories
