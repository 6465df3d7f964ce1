"""Writes what a miner changed into the catalogue of a service, though others may have changed it meanwhile."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from logs_service.domain import LogPattern
from logs_service.patterns.grouping import merged_token
from logs_service.patterns.masking import WILDCARD
from logs_service.patterns.miner import MinerChanges
from logs_service.store import PatternStore

MAXIMUM_PATTERNS = 10_000
"""Patterns of a service that an ingestion compares with; the newest, when there are more."""


async def write_changes(
    store: PatternStore, changes: MinerChanges, known: Iterable[LogPattern], *, service: str, log_id: UUID, at: datetime
) -> None:
    """Write created, generalised and merged patterns; the catalogue of the service stays locked until the commit.

    `known` is the catalogue that the miner began with. A pattern that another log created with the same template
    stands for ours, and a template that another log generalised is widened until it covers both.
    """
    if not (changes.created or changes.generalised or changes.merged):
        return
    await store.lock()
    created = {pattern.id for pattern in changes.created}
    stored = {i for pair in changes.merged for i in pair if i not in created} | {p.id for p in changes.generalised}
    roots = await store.roots(list(stored))
    fresh = [pattern.template for pattern in changes.created if pattern.merged_into is None]
    twins = await store.live_with_templates(fresh)
    twin_of = {p.id: twins[p.template] for p in changes.created if p.merged_into is None and p.template in twins}

    def root(pattern_id: UUID) -> UUID:
        found = roots.get(pattern_id)
        return found.id if found else twin_of.get(pattern_id, pattern_id)

    new = [
        (
            LogPattern(pattern.id, pattern.version, pattern.template, service, log_id, at),
            twin_of.get(pattern.id) if pattern.merged_into is None else root(pattern.merged_into),
        )
        for pattern in changes.created
    ]
    await store.add(new, log_id=log_id)
    await _generalise(store, changes, roots, {p.id: p for p in known}, log_id=log_id, at=at)
    for source, into in changes.merged:
        current = roots.get(source)
        if current is not None and current.id == source != root(into):
            await store.merge(current, root(into), log_id=log_id, at=at)


async def _generalise(
    store: PatternStore,
    changes: MinerChanges,
    roots: Mapping[UUID, LogPattern],
    known: Mapping[UUID, LogPattern],
    *,
    log_id: UUID,
    at: datetime,
) -> None:
    wanted: dict[UUID, LogPattern] = {}
    for pattern in changes.generalised:
        current = wanted.get(roots[pattern.id].id, roots[pattern.id])
        untouched = current.id == pattern.id and current.version == known[pattern.id].version
        template = pattern.template if untouched else widened(current.template, pattern.template)
        wanted[current.id] = replace(current, template=template)
    for current in wanted.values():
        before = roots.get(current.id)
        if before is None or before.template != current.template:
            await store.generalise(replace(current, version=current.version + 1), log_id=log_id, at=at)


def widened(one: str, other: str) -> str:
    """A template that covers all that either covers."""
    ours, theirs = one.split(" "), other.split(" ")
    if len(ours) == len(theirs):
        return " ".join(merged_token(pair) for pair in zip(ours, theirs, strict=True))
    shared = 0
    # The wildcard stands for at least one word, so each side keeps one for it.
    while shared < min(len(ours), len(theirs)) - 1 and ours[shared] == theirs[shared]:
        shared += 1
    return " ".join([*ours[:shared], WILDCARD])
