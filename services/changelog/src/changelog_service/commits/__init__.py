"""From commits to notes that account for each of them: reading, classifying, versions, Markdown and JSON.

A pure package (standard library alone): the service and the command line share it.
"""

from changelog_service.commits.document import to_json, to_markdown
from changelog_service.commits.model import (
    Bump,
    Commit,
    Entry,
    Excluded,
    Exclusion,
    ExclusionReason,
    Notes,
    ReadCommit,
    Section,
)
from changelog_service.commits.notes import make_notes
from changelog_service.commits.reading import read
from changelog_service.commits.version import Version, parse_version

__all__ = [
    "Bump",
    "Commit",
    "Entry",
    "Excluded",
    "Exclusion",
    "ExclusionReason",
    "Notes",
    "ReadCommit",
    "Section",
    "Version",
    "make_notes",
    "parse_version",
    "read",
    "to_json",
    "to_markdown",
]
