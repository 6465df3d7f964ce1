"""Mines message patterns line by line; patterns keep their identity across runs.

A message is masked (see `masking`), and its masked form is looked up before anything else. A form that was not seen
is laid beside the known templates word by word; if none covers it, it becomes a pattern of its own. From time to time
and at the end, patterns that differ only in values are merged (see `grouping`): the oldest keeps its id and becomes
more general, the others point at it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from logs_service.patterns.grouping import MIN_CONTEXT_WORDS, Tokens, context_words, find_groups, without_digits
from logs_service.patterns.masking import LITERAL_DIGIT, WILDCARD, mask
from logs_service.patterns.template import token_matches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from uuid import UUID

_MAX_CHARS = 2048
_MAX_WORDS = 200
_ENDS = 2
_MAX_CACHE = 50_000
_MAX_SHAPE_CHARS = 600
_FIRST_PASS = 64
_DIGITS = {ord(digit): "0" for digit in "123456789"}


class Pattern(NamedTuple):
    """A mined template: its id stays when it becomes more general, its version tells how often it did."""

    id: UUID
    template: str
    version: int = 1
    merged_into: UUID | None = None


class MinerChanges(NamedTuple):
    """What a run changed in the catalogue."""

    created: tuple[Pattern, ...]
    """Every id that `add` gave out and the catalogue did not have; some are merged already."""
    generalised: tuple[Pattern, ...]
    """Patterns of the catalogue with a more general template, at their new version."""
    merged: tuple[tuple[UUID, UUID], ...]
    """Pairs (from, into): records of the first belong to the second from now on."""


class _Node:
    """A node of the tree of templates, one word per level."""

    __slots__ = ("children", "entry", "wild")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.wild: list[str] = []
        self.entry: _Entry | None = None


class _Entry:
    """A pattern while the miner works on it."""

    __slots__ = ("id", "into", "new", "stored", "tokens")

    def __init__(self, pattern_id: UUID, tokens: Tokens, stored: Pattern | None) -> None:
        self.id = pattern_id
        self.tokens = tokens
        self.stored = stored
        self.into: _Entry | None = None


class _Shape(NamedTuple):
    """Messages that are equal but for digits: which digits tell patterns apart, and the pattern of each choice."""

    positions: tuple[int, ...]
    entries: dict[str, _Entry]


class PatternMiner:
    """Gives every message the id of its pattern; deterministic for the same catalogue, messages and id source."""

    def __init__(
        self, catalogue: Iterable[Pattern] = (), *, new_id: Callable[[], UUID], max_patterns: int = 20_000
    ) -> None:
        self._new_id = new_id
        self._max_patterns = max_patterns
        self._entries: dict[UUID, _Entry] = {}
        self._live: list[_Entry] = []
        self._created: list[_Entry] = []
        self._by_form: dict[str, _Entry] = {}
        self._by_shape: dict[str, _Shape] = {}
        self._fresh = 0
        self._pass_at = _FIRST_PASS
        self._load(catalogue)
        self._index()

    def add(self, body: str) -> UUID:
        """The id of the message's pattern; `resolve` gives the final one after `finish`."""
        if len(body) > _MAX_SHAPE_CHARS:
            entry = self._find(body)
        else:
            shape = body.translate(_DIGITS)
            known = self._by_shape.get(shape)
            if known is None:
                known = self._new_shape(shape)
            digits = "".join([body[position] for position in known.positions]) if known.positions else ""
            cached = known.entries.get(digits)
            if cached is None:
                cached = known.entries[digits] = self._find(body)
            entry = cached
        while entry.into is not None:
            entry = entry.into
        return entry.id

    def resolve(self, pattern_id: UUID) -> UUID:
        """The id that stands for a pattern now. Raises: KeyError for an id that is not of this miner."""
        entry = self._entries[pattern_id]
        while entry.into is not None:
            entry = entry.into
        return entry.id

    def template(self, pattern_id: UUID) -> str:
        """The template that stands for a pattern now. Raises: KeyError for an id that is not of this miner."""
        return " ".join(self._entries[self.resolve(pattern_id)].tokens)

    def finish(self) -> MinerChanges:
        """Merges what is one pattern and tells what changed since the miner was made."""
        if self._fresh:
            self._merge_patterns()
        created = tuple(
            Pattern(entry.id, " ".join(entry.tokens), 1, None if entry.into is None else self.resolve(entry.id))
            for entry in self._created
        )
        known = [entry for entry in self._entries.values() if entry.stored is not None]
        generalised = tuple(
            Pattern(entry.id, template, entry.stored.version + 1)
            for entry in known
            if entry.stored is not None
            and entry.into is None
            and (template := " ".join(entry.tokens)) != entry.stored.template
        )
        merged = tuple(
            (entry.id, self.resolve(entry.id))
            for entry in self._entries.values()
            if entry.into is not None and (entry.stored is None or entry.stored.merged_into is None)
        )
        return MinerChanges(created, generalised, merged)

    def _load(self, catalogue: Iterable[Pattern]) -> None:
        stored = list(catalogue)
        for pattern in stored:
            self._entries[pattern.id] = _Entry(pattern.id, tuple(pattern.template.split()), pattern)
        for pattern in stored:
            entry = self._entries[pattern.id]
            if pattern.merged_into is None:
                self._live.append(entry)
            else:
                entry.into = self._entries[pattern.merged_into]

    def _new_shape(self, shape: str) -> _Shape:
        if len(self._by_shape) >= _MAX_CACHE:
            self._by_shape.clear()
        known = self._by_shape[shape] = _Shape(tuple(found.start() for found in LITERAL_DIGIT.finditer(shape)), {})
        return known

    def _find(self, body: str) -> _Entry:
        form = masked_form(body)
        entry = self._by_form.get(form)
        if entry is not None:
            return entry
        tokens = tuple(form.split(" "))
        found = self._match(self._root, tokens, 0)
        if found is None:
            found = self._new_entry(tokens)
        if len(self._by_form) >= _MAX_CACHE:
            self._by_form.clear()
        self._by_form[form] = found
        if self._fresh >= self._pass_at:
            self._merge_patterns()
        return found

    def _new_entry(self, tokens: Tokens) -> _Entry:
        if len(self._live) >= self._max_patterns:
            # Beyond the limit a message without a pattern still counts: under the pattern of everything.
            found = self._root.children.get(WILDCARD)
            if found is not None and found.entry is not None:
                return found.entry
            tokens = (WILDCARD,)
        entry = _Entry(self._new_id(), tokens, None)
        self._entries[entry.id] = entry
        self._live.append(entry)
        self._created.append(entry)
        self._insert(entry)
        self._fresh += 1
        return entry

    def _index(self) -> None:
        self._root = _Node()
        for entry in self._live:
            self._insert(entry)

    def _insert(self, entry: _Entry) -> None:
        node = self._root
        for token in entry.tokens:
            child = node.children.get(token)
            if child is None:
                child = node.children[token] = _Node()
                if WILDCARD in token:
                    node.wild.append(token)
                    node.wild.sort(key=lambda text: (-len(text), text))
            node = child
        if node.entry is None:
            node.entry = entry

    def _match(self, node: _Node, tokens: Tokens, position: int) -> _Entry | None:
        if position == len(tokens):
            return node.entry if node.entry is not None and _covers(node.entry.tokens, tokens) else None
        token = tokens[position]
        child = node.children.get(token)
        if child is not None:
            found = self._match(child, tokens, position + 1)
            if found is not None:
                return found
        for wild in node.wild:
            if wild != token and token_matches(wild, token):
                found = self._match(node.children[wild], tokens, position + 1)
                if found is not None:
                    return found
        return None

    def _merge_patterns(self) -> None:
        """Merges all patterns that are one; a group keeps the id of its oldest member."""
        for indexes, tokens in find_groups([entry.tokens for entry in self._live]):
            members = [self._live[index] for index in indexes]
            if all(member.stored is not None for member in members):
                continue
            oldest = members[0]
            oldest.tokens = tokens
            for other in members[1:]:
                other.into = oldest
        self._live = [entry for entry in self._live if entry.into is None]
        self._index()
        self._pass_at = max(_FIRST_PASS, self._fresh * 2)


def _covers(template: Tokens, tokens: Tokens) -> bool:
    """A template whose wildcards swallow words needs words of its own; one that is equal does not."""
    if template == tokens or context_words(template) >= MIN_CONTEXT_WORDS:
        return True
    return all(without_digits(one) == without_digits(other) for one, other in zip(template, tokens, strict=True))


def masked_form(body: str) -> str:
    """The masked text of a message; of a stack trace its first line and its exception, of a long text its start."""
    text, rest = body.strip(), ""
    if "\n" in text:
        text = _condensed(text)
    if len(text) > _MAX_CHARS:
        space = text.rfind(" ", 0, _MAX_CHARS)
        text, rest = text[: space if space > 0 else _MAX_CHARS], f" {WILDCARD}" if space > 0 else WILDCARD
    form = mask(text) + rest
    words = form.split(" ", _MAX_WORDS)
    if len(words) > _MAX_WORDS:
        form = f"{' '.join(words[:_MAX_WORDS])} {WILDCARD}"
    return form or WILDCARD


def _condensed(body: str) -> str:
    """Of the lines of a record those that name the fault; `<*>` stands where lines were left out."""
    lines = [line for line in body.split("\n") if line.strip()]
    if lines[0].endswith("Traceback (most recent call last):"):
        kept, left_out = [lines[0], lines[-1]], len(lines) > _ENDS
        return f" {WILDCARD} ".join(kept) if left_out else " ".join(kept)
    kept = lines[:2] if len(lines) > 1 and lines[1][:1] not in " \t" else lines[:1]
    return " ".join((*kept, WILDCARD) if len(kept) < len(lines) else kept)
