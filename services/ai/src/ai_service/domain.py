"""What ai knows: what comes in, what goes out, and the record of how it came about."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Generic, TypeVar

from ai_service.errors import EvidenceEmpty, TriageOptionsInvalid
from chassis.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

ERROR_SEVERITY = 17
WARN_SEVERITY = 13
MAX_ENTRIES = 20
MAX_OPTIONS = 50
MAX_TITLE_CHARACTERS = 1_000
MAX_MESSAGE_CHARACTERS = 100_000
"""More than a ticket may have: redaction before storage can make a text longer."""
_DIGEST_CHARACTERS = 64

T = TypeVar("T")


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


class TextField(IntEnum):
    """The part of a ticket that words stand in; the numbers are those of aiops.ai.v1.TextField."""

    TITLE = 1
    MESSAGE = 2


@dataclass(frozen=True, slots=True)
class TicketText:
    """What triage reads."""

    title: str
    message: str
    service: str = ""


@dataclass(frozen=True, slots=True)
class Option:
    """One choice that was declared."""

    key: str
    name: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class TriageQuestion:
    """A ticket, and what may be chosen for it; a property with no option is not asked for."""

    ticket: TicketText
    categories: tuple[Option, ...] = ()
    priorities: tuple[Option, ...] = ()
    """The most urgent first."""
    teams: tuple[Option, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 of the question in hex."""
        return _digest(asdict(self))

    def check(self) -> None:
        """Let a question pass that can be answered.

        Raises:
            TriageOptionsInvalid: nothing is to choose from, or keys are missing or equal.
            InvalidArgument: there are too many options, or a text is too long.
        """
        declared = {"categories": self.categories, "priorities": self.priorities, "teams": self.teams}
        if not any(declared.values()):
            raise TriageOptionsInvalid("declare options for at least one property", field="categories")
        for field, options in declared.items():
            if len(options) > MAX_OPTIONS:
                raise InvalidArgument(f"declare at most {MAX_OPTIONS} options", field=field)
            keys = [option.key for option in options]
            if not all(keys) or len(set(keys)) < len(keys):
                raise TriageOptionsInvalid("give each option a key of its own", field=field)
        for field, text, limit in (
            ("ticket.title", self.ticket.title, MAX_TITLE_CHARACTERS),
            ("ticket.message", self.ticket.message, MAX_MESSAGE_CHARACTERS),
        ):
            if len(text) > limit:
                raise InvalidArgument(f"send at most {limit:,} characters", field=field)


@dataclass(frozen=True, slots=True)
class Reason:
    """Words of the ticket, found there and never retold: the quote is what stands at start to end."""

    field: TextField
    start: int
    """Position of the first character, in code points."""
    end: int
    quote: str
    explanation: str


@dataclass(frozen=True, slots=True)
class Choice:
    """The answer for one property; without a value it is uncertain."""

    value: str = ""
    confidence: float = 0.0
    reasons: tuple[Reason, ...] = ()

    @property
    def uncertain(self) -> bool:
        """True when the engine does not know."""
        return not self.value


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Whether a ticket looks like a matter for hr."""

    suspected: bool = False
    confidence: float = 0.0
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Triage:
    """What an engine thinks of a ticket; None for what was not asked."""

    category: Choice | None
    priority: Choice | None
    team: Choice | None
    people: Suspicion


@dataclass(frozen=True, slots=True)
class Change:
    """One change that is worth a sentence at the top of release notes."""

    key: str
    section: str
    text: str
    scope: str = ""
    breaking: bool = False


@dataclass(frozen=True, slots=True)
class Release:
    """The changes that are to be worded, most important first."""

    subject: str
    changes: tuple[Change, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of the changes in hex."""
        return _digest(asdict(self))

    def check(self) -> None:
        """Let changes pass that can be worded.

        Raises:
            EvidenceEmpty: there is no change.
            InvalidArgument: there are too many, or keys are missing or equal.
        """
        if not self.changes:
            raise EvidenceEmpty("there is no entry; there is nothing to word")
        if len(self.changes) > MAX_ENTRIES:
            raise InvalidArgument(f"send at most {MAX_ENTRIES} entries", field="entries")
        keys = [change.key for change in self.changes]
        if not all(keys) or len(set(keys)) < len(keys):
            raise InvalidArgument("give each entry a key of its own", field="entries.key")


@dataclass(frozen=True, slots=True)
class Highlight:
    """One sentence and the changes that it words."""

    text: str
    entry_keys: tuple[str, ...]


def _digest(values: object) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What an engine said, and what it took."""

    content: T
    engine: EngineName
    model: str = ""
    prompt_version: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    attempt_count: int = 0


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """The answer to one question, whoever gave it in the end."""

    task: str
    input_digest: str
    answer: Answer[T]
    builtin: T
    """What the built-in engine says to everything that was asked."""
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
