"""The order of a range of commits, and whether what was pushed proves it. Pure."""

import heapq
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

from changelog_service.commits import Commit
from changelog_service.errors import HistoryIncomplete

_UNKNOWN = datetime(1, 1, 1, tzinfo=UTC)


def newest_first(commits: Sequence[Commit]) -> tuple[Commit, ...]:
    """The commits so that none comes behind one of its parents; among those that may come next, the newest does.

    The same commits have the same order, however they come in.
    """
    by_sha = {commit.sha: commit for commit in commits}
    children = dict.fromkeys(by_sha, 0)
    for commit in commits:
        for parent in set(commit.parent_shas) & by_sha.keys():
            children[parent] += 1
    ready = [_rank(commit) for commit in commits if not children[commit.sha]]
    heapq.heapify(ready)
    ordered: list[Commit] = []
    while len(ordered) < len(by_sha):
        if not ready:
            # No history of git has a circle, but the hashes of a caller may: it is cut at the same place each time.
            cut = min(_rank(by_sha[sha]) for sha, count in children.items() if count > 0)
            children[cut[1]] = 0
            ready.append(cut)
        commit = by_sha[heapq.heappop(ready)[1]]
        ordered.append(commit)
        children[commit.sha] = -1
        for parent in set(commit.parent_shas) & by_sha.keys():
            children[parent] -= 1
            if children[parent] == 0:
                heapq.heappush(ready, _rank(by_sha[parent]))
    return tuple(ordered)


def guard_whole(commits: Mapping[str, Commit | None], unpushed_before: Collection[str]) -> None:
    """Let a range pass that is whole: found by hash, None for one that a commit names as parent and nobody pushed.

    `unpushed_before` are such parents on the other side, behind the beginning of the range. Where there is one, a line
    of the range that runs to a first commit may lie behind the beginning too, and nobody can tell.

    Raises:
        HistoryIncomplete: it is not whole.
    """
    missing = min((sha for sha, commit in commits.items() if commit is None), default="")
    roots = any(commit is not None and not commit.parent_shas for commit in commits.values())
    if not missing and unpushed_before and roots:
        missing = min(unpushed_before)
    if missing:
        raise HistoryIncomplete(
            f"commit {missing} was not pushed, so nobody can tell what the range holds; push the history up to it, "
            "or let the range begin later",
            sha=missing,
        )


def _rank(commit: Commit) -> tuple[float, str]:
    return -((commit.committed_at or _UNKNOWN) - _UNKNOWN).total_seconds(), commit.sha
