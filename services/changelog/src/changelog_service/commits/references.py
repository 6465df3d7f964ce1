"""Issues and pull requests that a message names."""

import re

_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}"
_REFERENCE = re.compile(
    rf"https?://(?:www\.)?[A-Za-z0-9.-]{{1,100}}/(?P<url>{_NAME}/{_NAME}(?:/{_NAME}){{0,4}}?)(?:/-)?"
    r"/(?:issues|pull|pulls|pull-requests|merge_requests)/(?P<url_number>[0-9]{1,9})(?![0-9])"
    rf"|(?<![A-Za-z0-9_./&-])(?P<repository>{_NAME}/{_NAME})(?P<repository_mark>[#!])(?P<repository_number>[0-9]{{1,9}})"
    r"(?![A-Za-z0-9_])"
    r"|(?<![A-Za-z0-9_-])[Gg][Hh]-(?P<gh>[0-9]{1,9})(?![A-Za-z0-9_])"
    r"|(?<![A-Za-z0-9_./&#!-])(?P<mark>[#!])(?P<number>[0-9]{1,9})(?![A-Za-z0-9_])",
)
_TRAILING = re.compile(
    r"\s*[(\[](?:[A-Za-z]{2,12}:? )?(?:[#!]|[Gg][Hh]-|pull request #)[0-9]{1,9}(?:, ?#[0-9]{1,9}){0,9}[)\]]\.?$"
)
_PULL_REQUEST = re.compile(r"\((?:#|[Gg][Hh]-|pull request #)([0-9]{1,9})\)\.?$")
_TRAILING_CHARACTERS = 200
_MOST_TRAILING = 10
MOST = 50
"""References of one commit; a message that names more is a list of its own."""


def find_references(text: str) -> tuple[str, ...]:
    """Each once, in order: `#12`, `!12`, `owner/repo#7`; GH-12 is `#12` and a URL is `owner/repo#7`."""
    found: dict[str, None] = {}
    for match in _REFERENCE.finditer(text):
        if match["url"]:
            found[f"{match['url']}#{match['url_number']}"] = None
        elif match["repository"]:
            found[f"{match['repository']}{match['repository_mark']}{match['repository_number']}"] = None
        elif match["gh"]:
            found[f"#{match['gh']}"] = None
        else:
            found[f"{match['mark']}{match['number']}"] = None
        if len(found) == MOST:
            break
    return tuple(found)


def pull_request(subject: str) -> str:
    """The number that a squash merge leaves at the end of a subject, or nothing."""
    found = _PULL_REQUEST.search(subject[-40:])
    return found[1] if found else ""


def without_trailing_references(text: str) -> str:
    """A description without the `(#123)` at its end."""
    for _ in range(_MOST_TRAILING):
        if not text.endswith((")", "]", ").", "].")):
            break
        found = _TRAILING.search(text, max(0, len(text) - _TRAILING_CHARACTERS))
        if found is None:
            break
        text = text[: found.start()].rstrip()
    return text
