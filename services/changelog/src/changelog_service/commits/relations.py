"""What the commits of a range mean for each other: merges, reverts, copies and fixups.

Positions are those of the range, newest first. Everything is linear in the number of commits, also where somebody made
them to be slow.
"""

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from changelog_service.commits.conventional import parse_message
from changelog_service.commits.model import Exclusion, ExclusionReason, ReadCommit
from changelog_service.commits.references import find_references, pull_request, without_trailing_references
from changelog_service.commits.reverts import Revert, find_revert, fixup_of, picked_from
from changelog_service.commits.styles import is_merge


@dataclass
class Relations:
    """What is known of commits only beside the others of their range.

    `excluded` says why a commit is left out, `joined` to which other commit's entry it belongs, `references` what the
    merge that brought it names.
    """

    excluded: dict[int, Exclusion] = field(default_factory=dict)
    joined: dict[int, int] = field(default_factory=dict)
    references: dict[int, tuple[str, ...]] = field(default_factory=dict)


def relate(commits: Sequence[ReadCommit]) -> Relations:
    """Find merges whose commits are there, reverts, copies and fixups."""
    found = Relations()
    shas = _Shas(commits)
    brought = _brought_by_merges(commits, shas)
    for merge, positions in brought.items():
        named = find_references(commits[merge].subject)[:1]
        found.references |= {position: named for position in positions if named}
    _exclude_reverted(commits, shas, brought, found)
    _exclude_merges(commits, shas, found)
    _exclude_copies(commits, shas, found)
    _join_fixups(commits, found)
    return found


class _Shas:
    """Finds commits of the range by hash, also where one of the two hashes is shortened."""

    def __init__(self, commits: Sequence[ReadCommit]) -> None:
        self._positions = {each.commit.sha: position for position, each in enumerate(commits)}
        self._sorted = sorted(self._positions)
        self._lengths = sorted({len(sha) for sha in self._positions if sha}, reverse=True)

    def find(self, sha: str) -> int | None:
        """The position of a commit, or nothing; a short hash that fits several finds nothing."""
        for length in self._lengths:
            if length <= len(sha) and (found := self._positions.get(sha[:length])) is not None:
                return found
        at = bisect_left(self._sorted, sha)
        fitting = [each for each in self._sorted[at : at + 2] if each.startswith(sha)]
        return self._positions[fitting[0]] if len(fitting) == 1 else None


class _Waiting:
    """Positions by a key; those that are too new or gone are dropped for good, so that asking stays linear."""

    def __init__(self) -> None:
        self._queues: defaultdict[str, deque[int]] = defaultdict(deque)

    def add(self, key: str, position: int) -> None:
        if key:
            self._queues[key].append(position)

    def first(self, key: str, *, after: int, gone: Collection[int]) -> int | None:
        """The newest commit of this key that is older than the one asked for, and not gone."""
        queue = self._queues.get(key)
        while queue:
            if queue[0] > after and queue[0] not in gone:
                return queue[0]
            queue.popleft()
        return None


def _key(subject: str) -> str:
    return without_trailing_references(subject).casefold()


def _brought_by_merges(commits: Sequence[ReadCommit], shas: _Shas) -> dict[int, list[int]]:
    """For each merge on the main line, the commits that it brought; the main line follows the first parents."""
    main_line: list[int] = []
    taken: set[int] = set()
    position: int | None = 0 if commits else None
    while position is not None and position not in taken:
        main_line.append(position)
        taken.add(position)
        parents = commits[position].commit.parent_shas
        position = shas.find(parents[0]) if parents else None
    brought: dict[int, list[int]] = {}
    for merge in reversed(main_line):
        waiting = [shas.find(parent) for parent in commits[merge].commit.parent_shas[1:]]
        while waiting:
            at = waiting.pop()
            if at is None or at in taken:
                continue
            taken.add(at)
            brought.setdefault(merge, []).append(at)
            waiting += [shas.find(parent) for parent in commits[at].commit.parent_shas]
    return brought


def _exclude_reverted(
    commits: Sequence[ReadCommit], shas: _Shas, brought: dict[int, list[int]], found: Relations
) -> None:
    """Leave out reverts and what they undo, newest first: a revert that is itself undone undoes nothing."""
    by_subject, by_pull_request = _Waiting(), _Waiting()
    for position, each in enumerate(commits):
        by_subject.add(_key(each.subject), position)
        by_pull_request.add(pull_request(each.subject), position)
    for position, each in enumerate(commits):
        if position in found.excluded:
            continue
        revert = find_revert(parse_message(f"{each.subject}\n\n{each.body}"))
        if revert is None:
            continue
        targets = _targets(revert, position, shas, (by_subject, by_pull_request), found.excluded)
        older = [at for at in targets if at is not None and at > position and at not in found.excluded]
        for at in older:
            for gone in (at, *brought.get(at, ())):
                why = Exclusion(ExclusionReason.REVERTED, f"reverted by {each.commit.sha}")
                found.excluded.setdefault(gone, why)
        if older and len(older) == len(targets):
            undone = ", ".join(commits[at].commit.sha for at in older)
            found.excluded[position] = Exclusion(ExclusionReason.REVERTED, f"reverts {undone}")


def _targets(
    revert: Revert, position: int, shas: _Shas, waiting: tuple[_Waiting, _Waiting], gone: Collection[int]
) -> list[int | None]:
    by_subject, by_pull_request = waiting
    if revert.shas:
        return [shas.find(sha) for sha in dict.fromkeys(revert.shas)]
    named = by_subject.first(_key(revert.subject), after=position, gone=gone) if revert.subject else None
    if named is None and revert.pull_request:
        named = by_pull_request.first(revert.pull_request, after=position, gone=gone)
    return [named]


def _exclude_merges(commits: Sequence[ReadCommit], shas: _Shas, found: Relations) -> None:
    """Leave out merges whose commits stand for themselves.

    Where the parents are unknown, they are taken to be there when most of the range is no merge.
    """
    merges = [position for position, each in enumerate(commits) if each.merge]
    mostly_commits = len(commits) >= 2 * len(merges)
    for position in merges:
        each = commits[position]
        parents = each.commit.parent_shas
        if parents:
            there = any(shas.find(parent) is not None for parent in parents[1:])
        else:
            there = mostly_commits and is_merge(each.subject)
        if there:
            why = Exclusion(ExclusionReason.MERGE, "its commits stand for themselves")
            found.excluded.setdefault(position, why)


def _exclude_copies(commits: Sequence[ReadCommit], shas: _Shas, found: Relations) -> None:
    """Leave out what stands there twice: a cherry-pick, or one pull request under one subject; the older one stays."""
    first: dict[tuple[str, str], int] = {}
    for position in reversed(range(len(commits))):
        each = commits[position]
        if position in found.excluded or each.section is None:
            continue
        number = pull_request(each.subject)
        original = first.get((_key(each.subject), number)) if number else None
        for sha in picked_from(each.commit.message):
            at = shas.find(sha)
            there = at is not None and at != position and at not in found.excluded
            if original is None and at is not None and there and commits[at].section is not None:
                original = at
        if original is None:
            first[_key(each.subject), number] = position
        else:
            why = Exclusion(ExclusionReason.DUPLICATE, f"the same change as {commits[original].commit.sha}")
            found.excluded[position] = why


def _join_fixups(commits: Sequence[ReadCommit], found: Relations) -> None:
    """Let a `fixup!` stand in the entry of the commit that it is to be melted into."""
    by_subject: dict[str, int] = {}
    for position in reversed(range(len(commits))):
        each = commits[position]
        if position in found.excluded:
            continue
        target = by_subject.get(_key(fixup_of(each.subject)))
        if target is not None:
            found.joined[position] = target
        elif each.section is not None:
            by_subject[_key(each.subject)] = position
