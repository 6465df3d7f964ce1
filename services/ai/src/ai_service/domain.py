"""What ai knows: evidence that comes in, sentences that go out, and the record of how they came about."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

from ai_service.errors import EvidenceEmpty
from chassis.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

ERROR_SEVERITY = 17
WARN_SEVERITY = 13
MAX_ENTRIES = 20
SUMMARIZE_EVIDENCE = "summarize_evidence"
_DIGEST_CHARACTERS = 64


class EntryKind(IntEnum):
    """What an entry is about; the numbers are those of aiops.ai.v1.EntryKind."""

    OVERVIEW = 1
    DOMINANT = 2
    ERROR = 3
    NEW = 4
    GREW = 5
    STOPPED = 6
    GAP = 7
    BURST = 8


class EngineName(StrEnum):
    """Who wrote an answer."""

    BUILTIN = "builtin"
    OPENAI = "openai"


class FallbackReason(StrEnum):
    """Why the built-in engine answered in place of the configured model."""

    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    SERVER_ERROR = "server_error"
    RATE_LIMITED = "rate_limited"
    TRUNCATED = "truncated"
    EMPTY = "empty"
    INVALID_OUTPUT = "invalid_output"
    INPUT_TOO_LONG = "input_too_long"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Exemplar:
    """A record that an entry rests on."""

    record_id: str
    time: int | None
    """Nanoseconds since 1970 UTC."""
    body: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One value, ready to be said."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing worth saying about a log, with its numbers and its proof."""

    key: str
    kind: EntryKind
    severity_number: int
    pattern_id: str
    template: str
    count: int
    first_time: int | None
    last_time: int | None
    onset_time: int | None
    facts: tuple[Fact, ...]
    exemplars: tuple[Exemplar, ...]

    def fact(self, name: str) -> str:
        """The value of a fact, empty when the entry has none of that name."""
        return next((fact.value for fact in self.facts if fact.name == name), "")


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that a summary may say."""

    digest: str
    log_name: str
    service: str
    entries: tuple[Entry, ...]

    @staticmethod
    def from_mapping(values: Mapping[str, object]) -> Evidence:
        """Evidence out of nested mappings with these field names, as `dataclasses.asdict` of equal ones gives."""
        fields = dict(values)
        entries = tuple(_entry(entry) for entry in _mappings(fields.pop("entries")))
        return Evidence(**fields, entries=entries)  # type: ignore[arg-type]  # the caller's fields are these

    def check(self) -> None:
        """Let evidence pass that can be worded.

        Raises:
            EvidenceEmpty: it has no entry.
            InvalidArgument: it has too many entries, an entry without proof, equal keys, or no digest.
        """
        if not self.entries:
            raise EvidenceEmpty("the evidence has no entry; there is nothing to word")
        if len(self.entries) > MAX_ENTRIES:
            raise InvalidArgument(f"send at most {MAX_ENTRIES} entries", field="evidence.entries")
        keys = [entry.key for entry in self.entries]
        if not all(keys) or len(set(keys)) < len(keys):
            raise InvalidArgument("give each entry a key of its own", field="evidence.entries.key")
        if not all(entry.exemplars for entry in self.entries):
            raise InvalidArgument("give each entry a record to cite", field="evidence.entries.exemplars")
        if len(self.digest) != _DIGEST_CHARACTERS or set(self.digest) - set("0123456789abcdef"):
            raise InvalidArgument("send the SHA-256 of the evidence in lower-case hex", field="evidence.digest")


def _entry(values: Mapping[str, object]) -> Entry:
    fields = dict(values)
    kind = EntryKind(int(str(fields.pop("kind"))))
    facts = tuple(Fact(**fact) for fact in _mappings(fields.pop("facts")))  # type: ignore[arg-type]
    records = _mappings(fields.pop("exemplars"))
    exemplars = tuple(Exemplar(**{name: record[name] for name in ("record_id", "time", "body")}) for record in records)  # type: ignore[arg-type]
    return Entry(**fields, kind=kind, facts=facts, exemplars=exemplars)  # type: ignore[arg-type]


def _mappings(values: object) -> Sequence[Mapping[str, object]]:
    return values  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One statement, the entries that it words and the records that it cites."""

    text: str
    entry_keys: tuple[str, ...]
    record_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What an engine said, and what it took."""

    sentences: tuple[Sentence, ...]
    engine: EngineName
    model: str = ""
    prompt_version: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    attempt_count: int = 0


@dataclass(frozen=True, slots=True)
class Wording:
    """The answer for one piece of evidence, whoever gave it in the end."""

    input_digest: str
    answer: Answer
    builtin_sentences: tuple[Sentence, ...]
    """One for each entry, in the same order."""
    latency_milliseconds: int
    fallback_reason: FallbackReason | None
    attempt_count: int
    """Requests to the model, also where the built-in engine answered in the end; so are the tokens."""
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class Run:
    """The record of one answer; never changed."""

    id: UUID
    task: str
    engine: EngineName
    model: str
    prompt_version: int
    input_digest: str
    input_tokens: int
    output_tokens: int
    latency_milliseconds: int
    attempt_count: int
    fallback_reason: FallbackReason | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RunCompleted:
    """An answer was recorded."""

    run: Run
