"""Semantic Versioning 2.0.0: reading a version and raising it."""

import re
from dataclasses import dataclass

from changelog_service.commits.model import Bump

_NUMBER = r"(0|[1-9][0-9]{0,17})"
_IDENTIFIER = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_VERSION = re.compile(
    rf"([vV]?){_NUMBER}\.{_NUMBER}\.{_NUMBER}"
    rf"(?:-({_IDENTIFIER}(?:\.{_IDENTIFIER})*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
)
_MOST_CHARACTERS = 200


@dataclass(frozen=True)
class Version:
    """A semantic version; `prefix` is the v that many tags begin with."""

    prefix: str
    major: int
    minor: int
    patch: int
    pre_release: str = ""
    build: str = ""

    def __str__(self) -> str:
        pre_release = f"-{self.pre_release}" if self.pre_release else ""
        build = f"+{self.build}" if self.build else ""
        return f"{self.prefix}{self.major}.{self.minor}.{self.patch}{pre_release}{build}"

    @property
    def precedence(self) -> tuple[int, int, int, bool, tuple[tuple[bool, int, str], ...]]:
        """A key that sorts versions as SemVer 2.0.0, rule 11, says."""
        identifiers = self.pre_release.split(".") if self.pre_release else []
        return (
            self.major,
            self.minor,
            self.patch,
            not identifiers,
            tuple((not each.isdigit(), int(each) if each.isdigit() else 0, each) for each in identifiers),
        )


def parse_version(text: str) -> Version:
    """Read a version such as 1.4.2, v1.4.2 or 2.0.0-rc.1+build.5.

    Raises:
        ValueError: it is no semantic version.
    """
    found = _VERSION.fullmatch(text) if len(text) <= _MOST_CHARACTERS else None
    if found is None:
        message = f"{text[:50]!r} is no semantic version. Examples: 1.4.2, v1.4.2, 2.0.0-rc.1"
        raise ValueError(message)
    prefix, major, minor, patch, pre_release, build = found.groups()
    return Version(prefix, int(major), int(minor), int(patch), pre_release or "", build or "")


def raise_version(previous: Version, bump: Bump) -> Version:
    """The version that follows; below 1.0.0 a break raises the minor part, since anything may change there.

    A pre-release becomes its release where that is rise enough: 2.0.0-rc.1 is followed by 2.0.0 whatever changed.
    """
    major, minor, patch = previous.major, previous.minor, previous.patch
    if bump is Bump.MAJOR and major == 0:
        bump = Bump.MINOR
    candidate = bool(previous.pre_release)
    if bump is Bump.MAJOR and not (candidate and minor == patch == 0):
        major, minor, patch = major + 1, 0, 0
    elif bump is Bump.MINOR and not (candidate and patch == 0):
        minor, patch = minor + 1, 0
    elif bump is Bump.PATCH and not candidate:
        patch += 1
    elif bump is Bump.NONE:
        return previous
    return Version(previous.prefix, major, minor, patch)


def rise(previous: Version, following: Version) -> Bump:
    """Which part is higher in the one that follows."""
    if following.precedence <= previous.precedence:
        return Bump.NONE
    if following.major != previous.major:
        return Bump.MAJOR
    if following.minor != previous.minor:
        return Bump.MINOR
    return Bump.PATCH
