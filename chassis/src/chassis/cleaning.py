"""Text that people send: cleaned, or refused with what it has to be. Domains use it, so it stands on `errors` alone.

It hides no secrets, which is the task of `chassis.redaction`.
"""

import re

from chassis.errors import InvalidArgument

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""What one line cannot hold: control characters and every break of a line."""


def clean_line(text: str, *, field: str, minimum: int, maximum: int) -> str:
    """One line of text, without outer blanks.

    Raises:
        InvalidArgument: it is too short or long, or holds control characters.
    """
    line = text.strip()
    if not minimum <= len(line) <= maximum:
        raise InvalidArgument(
            f"this must have {minimum:,} to {maximum:,} characters, it has {len(line):,}", field=field
        )
    if CONTROL.search(line):
        raise InvalidArgument("this must be one line without control characters", field=field)
    return line


def clean_text(text: str, *, field: str, maximum: int, minimum: int = 0) -> str:
    """Text with line breaks and blanks as they are; blanks alone count for nothing where something is wanted.

    Raises:
        InvalidArgument: it is too short or long, or holds a NUL character.
    """
    length = len(text) if text.strip() or not minimum else 0
    if not minimum <= length <= maximum:
        raise InvalidArgument(f"this must have {minimum:,} to {maximum:,} characters, it has {length:,}", field=field)
    if "\x00" in text:
        raise InvalidArgument("this must not hold NUL characters", field=field)
    return text
