"""From a service's number to the graph's name."""

from enum import Enum
from functools import lru_cache
from typing import TypeVar

Name = TypeVar("Name", bound=Enum)


@lru_cache(1024)
def name_or_none(names: type[Name], number: int) -> Name | None:
    """The name of a number: None when the service says nothing, or something newer than this gateway knows.

    A service is rolled out by itself: one word that is new must not take a whole page along.
    """
    if not number:
        return None
    try:
        return names(number)
    except ValueError:
        return None
