"""What an input may be: the limits of this service, and the refusals that name the field. Pure."""

import re
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlsplit

from changelog_service.commits import Commit
from changelog_service.errors import CommitInvalid
from chassis.cleaning import CONTROL, clean_line
from chassis.errors import InvalidArgument

MAXIMUM_COMMITS = 1000
MAXIMUM_RANGE_COMMITS = 10_000
MAXIMUM_NOTES_BYTES = 6_000_000
MAXIMUM_MESSAGE_CHARACTERS = 100_000
MAXIMUM_NAME_CHARACTERS = 200
MAXIMUM_AUTHOR_CHARACTERS = 320
MAXIMUM_ENVIRONMENT_CHARACTERS = 100
MAXIMUM_URL_CHARACTERS = 2000
MAXIMUM_REF_CHARACTERS = 255
MAXIMUM_PARENTS = 100
MAXIMUM_TAGS = 100
MAXIMUM_PATHS = 500
MAXIMUM_PATH_CHARACTERS = 4096
MAXIMUM_SERVICES = 100
MAXIMUM_AHEAD = timedelta(minutes=5)
MAXIMUM_WINDOW_SECONDS = 30 * 86_400
DEFAULT_ENVIRONMENT = "production"
FULL_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
SHORT_SHA = re.compile(r"[0-9a-f]{7,64}")


def clean_url(text: str) -> str:
    """The address of a page.

    Raises:
        InvalidArgument: it is no address of the web, or tells a password.
    """
    url = clean_line(text, field="url", minimum=0, maximum=MAXIMUM_URL_CHARACTERS)
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname)
    except ValueError:
        named = False
    if not named or parts.scheme not in {"http", "https"} or re.search(r"[\s<>\"\\]", url):
        raise InvalidArgument("this must be an address such as https://ci.example.com/runs/7, or empty", field="url")
    if parts.username is not None or parts.password is not None:
        raise InvalidArgument("this must not hold a user or password; leave out what stands before the @", field="url")
    return url


def check_commit(commit: Commit, field: str, *, full_shas: bool) -> None:
    """Let a commit pass that can be taken.

    Raises:
        CommitInvalid: a hash is malformed, or something is too long or holds what no text does.
    """
    sha = FULL_SHA if full_shas else SHORT_SHA
    digits = "40 or 64 lower-case hex digits" if full_shas else "7 to 64 lower-case hex digits"
    _demand(bool(sha.fullmatch(commit.sha)), field, "sha", f"must have {digits}")
    _demand(
        len(commit.message) <= MAXIMUM_MESSAGE_CHARACTERS,
        field,
        "message",
        f"must have at most {MAXIMUM_MESSAGE_CHARACTERS:,} characters, this has {len(commit.message):,}",
    )
    _demand("\x00" not in commit.message, field, "message", "must not hold NUL characters")
    for name, text in (("author_name", commit.author_name), ("author_email", commit.author_email)):
        fits = len(text) <= MAXIMUM_AUTHOR_CHARACTERS and not CONTROL.search(text)
        wish = f"must be one line of at most {MAXIMUM_AUTHOR_CHARACTERS} characters without control characters"
        _demand(fits, field, name, wish)
    parents = commit.parent_shas
    _demand(len(parents) <= MAXIMUM_PARENTS, field, "parent_shas", f"must be at most {MAXIMUM_PARENTS}")
    fits = all(sha.fullmatch(parent) for parent in parents) and commit.sha not in parents
    _demand(fits, field, "parent_shas", f"must be hashes of other commits, each of {digits}")
    fits = all(
        0 < len(tag) <= MAXIMUM_REF_CHARACTERS and not re.search(r"\s|" + CONTROL.pattern, tag) for tag in commit.tags
    )
    wish = f"must be at most {MAXIMUM_TAGS} names of 1 to {MAXIMUM_REF_CHARACTERS} characters without blanks"
    _demand(fits and len(commit.tags) <= MAXIMUM_TAGS, field, "tags", wish)
    fits = all(len(path) <= MAXIMUM_PATH_CHARACTERS and "\x00" not in path for path in commit.paths)
    wish = f"must be at most {MAXIMUM_PATHS} paths of at most {MAXIMUM_PATH_CHARACTERS:,} characters without NUL"
    _demand(fits and len(commit.paths) <= MAXIMUM_PATHS, field, "paths", wish)


def check_commits(commits: Sequence[Commit], *, full_shas: bool) -> None:
    """Let a list of commits pass of which each can be taken, and no two contradict each other.

    Raises:
        CommitInvalid: one cannot be taken, is there twice, or has a tag of another one.
    """
    seen: dict[str, int] = {}
    tagged: dict[str, int] = {}
    for number, commit in enumerate(commits):
        path = f"commits.{number}"
        check_commit(commit, path, full_shas=full_shas)
        _demand(commit.sha not in seen, path, "sha", f"is that of commits.{seen.get(commit.sha)} too; send it once")
        seen[commit.sha] = number
        for tag in commit.tags:
            other = tagged.setdefault(tag, number)
            _demand(other == number, path, "tags", f"has a tag of commits.{other} too; a tag names one commit")


def _demand(holds: bool, field: str, name: str, wish: str) -> None:  # noqa: FBT001 - the condition itself
    if not holds:
        raise CommitInvalid(f"this {wish}; nothing was stored", field=f"{field}.{name}")
