"""Notes of a range of commits: each of them stands in exactly one entry or in the excluded list with its reason."""

from collections.abc import Sequence

from changelog_service.commits.model import Bump, Commit, Entry, Excluded, Notes
from changelog_service.commits.reading import read
from changelog_service.commits.version import parse_version, raise_version


def make_notes(commits: Sequence[Commit], *, previous_version: str = "") -> Notes:
    """Notes of these commits, newest first; the same commits give the same notes.

    Raises:
        ValueError: a sha stands there twice, or previous_version is no semantic version.
    """
    seen: set[str] = set()
    for commit in commits:
        if commit.sha in seen:
            message = f"commit {commit.sha} stands in the list twice"
            raise ValueError(message)
        seen.add(commit.sha)
    entries: list[Entry] = []
    excluded: list[Excluded] = []
    bump, bump_sha = Bump.NONE, ""
    order = list(Bump)
    for each in map(read, commits):
        if each.section is None:
            assert each.exclusion
            excluded.append(Excluded(each.commit.sha, each.subject, each.exclusion.reason, each.exclusion.detail))
            continue
        own = Bump.MAJOR if each.breaking else {"feat": Bump.MINOR, "fix": Bump.PATCH}.get(each.type, Bump.NONE)
        if order.index(own) > order.index(bump):
            bump, bump_sha = own, each.commit.sha
        entries.append(
            Entry(
                f"c{len(entries) + 1}",
                each.section,
                each.description,
                each.scope,
                each.breaking,
                each.breaking_note,
                (each.commit.sha,),
                each.references,
            )
        )
    following = ""
    if previous_version and bump is not Bump.NONE:
        following = str(raise_version(parse_version(previous_version), bump))
    return Notes(tuple(entries), tuple(excluded), bump, bump_sha, previous_version, following, len(commits))
