"""Brings the notes into the form in which releases that people wrote are compared: pull request and section."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from changelog_service.commits import Commit, make_notes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def entries_of(commits: Sequence[Mapping[str, Any]]) -> list[tuple[int | None, str]]:
    """Each entry's pull requests, or nothing for an entry without, with its section; commits are newest first."""
    numbers = {commit["sha"]: commit["pr"] for commit in commits}
    notes = make_notes(
        [
            Commit(
                sha=commit["sha"],
                message=f"{commit['subject']}\n\n{commit['body']}",
                author_name="robot[bot]" if commit["bot"] else "",
            )
            for commit in commits
        ]
    )
    return [
        (number, entry.section.lower())
        for entry in notes.entries
        for number in dict.fromkeys(numbers[sha] for sha in entry.commit_shas)
    ]
