"""What the prompts of all tasks share: text of others is fenced as data, and a reply has one strict form."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

if TYPE_CHECKING:
    from collections.abc import Mapping

STRINGS: Mapping[str, object] = {"type": "array", "items": {"type": "string"}}
_LINK = re.compile(r"[a-z][a-z0-9+.-]*:\s*//|\bwww\.|\]\s*\(|<\s*/?\s*(?:a|img|script|iframe)\b", re.IGNORECASE)
_TAG = re.compile(r"<(?!\*>|[A-Z_]+(?::[0-9a-f]{8})?>)")
_MARKUP = re.compile(r"<[^<>]{0,200}>|[*_~]{2,}|^\s*(?:#+|[-*>+])\s+|[<>|]", re.MULTILINE)
_FormT = TypeVar("_FormT", bound="Form")


class Form(BaseModel):
    """A part of a reply: it has these fields, of these types, and no other."""

    model_config = ConfigDict(extra="forbid", strict=True)


def schema_of(**properties: Mapping[str, object]) -> dict[str, object]:
    """An object with these properties as JSON schema, in the subset that strict servers take."""
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def fenced(tag: str, data: object) -> str:
    """Data between tags that its text can neither close nor open: in it, "<" only begins what redaction put there.

    JSON reads what stands there as the same.
    """
    text = _TAG.sub(r"\\u003c", json.dumps(data, ensure_ascii=False))
    return f"<{tag}>\n{text}\n</{tag}>"


def parse(form: type[_FormT], content: str) -> _FormT:
    """The reply in a text, where it may stand in a code fence or between other words.

    Raises:
        ValueError: it is no JSON object of this form.
    """
    start, end = content.find("{"), content.rfind("}")
    try:
        return form.model_validate_json(content[start : end + 1] if 0 <= start < end else content)
    except ValidationError as error:
        # The error's own text quotes the reply, which must not reach a log.
        raise ValueError(f"{error.error_count()} faults, the first: {error.errors()[0]['type']}") from None


def refuse_link(text: str) -> str:
    """The text, if it holds nothing that leads elsewhere.

    Raises:
        ValueError: it does.
    """
    if _LINK.search(text):
        raise ValueError("a link")
    return text


def plain(text: str) -> str:
    """The text on one line, without markup and characters that cannot be seen.

    Raises:
        ValueError: it holds a link, or nothing else.
    """
    shown = "".join(" " if unicodedata.category(character) in {"Cc", "Cf"} else character for character in text)
    words = " ".join(_MARKUP.sub(" ", refuse_link(shown)).replace("`", "'").split())
    if not words:
        raise ValueError("no words")
    return words
