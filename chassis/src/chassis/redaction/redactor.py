"""Takes secrets and personal values out of text before it is stored, logged, published or sent to a model.

It will not judge whether a text is sensitive as a whole, nor find names of people, places or companies in prose.
"""

import copy
import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from chassis.redaction import accounts, network, numbers, providers, randomness, secrets
from chassis.redaction.keys import kind_of_key
from chassis.redaction.matching import JOINABLE, Kind, Rule, Triggers
from chassis.redaction.view import View, decode_percent, fold, is_replaced

_MAX_CHARACTERS = 16 << 20
_MAX_ROUNDS = 8
_MAX_DEPTH = 32
_RANK = {kind: rank for rank, kind in enumerate(Kind)}
_PERCENT = rb"%[0-9A-Fa-f]{2}"


class RedactionFailed(Exception):
    """The text could not be checked, so it must not be stored, logged or sent."""


class Finding(NamedTuple):
    """One value to take out: offsets in the original text, what it is, and what stands in its place."""

    start: int
    end: int
    kind: Kind
    replacement: str


class _Candidate(NamedTuple):
    start: int
    end: int
    kind: Kind
    value: str


class Redactor:
    """Replaces secrets by what they are, and personal values by tokens that still join when a key is given.

    `redact(redact(text)) == redact(text)`: replacements are left alone, and the result holds nothing more to find.
    """

    def __init__(self, key: bytes | None = None, *, web_addresses: bool = False) -> None:
        """Build the detectors once.

        With a key, one person's e-mail address, IP address, user name or telephone number always becomes the same
        `<EMAIL:1a2b3c4d>`, and whoever lacks the key cannot test a guess; without one it becomes `<EMAIL>`, which reads
        better but joins nothing. Secrets never carry a suffix. `web_addresses` also takes out whole URLs: right for
        text that people wrote about themselves, not for logs.

        Raises: ValueError for a key of fewer than 16 bytes.
        """
        if key is not None and len(key) < 16:  # noqa: PLR2004 - 128 bits
            raise ValueError("a redaction key needs at least 16 bytes; make one with secrets.token_bytes(32)")
        self._key = key
        self._web_addresses = web_addresses
        groups = (
            providers.RULES,
            (*secrets.RULES, *network.RULES, *accounts.RULES, network.WEB_RULE),
            numbers.RULES,
        )
        self._rules: tuple[Rule, ...] = tuple(rule for group in groups for rule in group)
        self._base64 = len(self._rules)
        self._percent = self._base64 + 1
        encodings = (randomness.BASE64_TRIGGER, _PERCENT)
        self._triggers = Triggers([*([rule.trigger for rule in group] for group in groups), encodings])

    def for_prose(self) -> "Redactor":
        """Return the redactor of the same key for text that people wrote: web addresses go too, to equal tokens."""
        prose = copy.copy(self)
        prose._web_addresses = True  # noqa: SLF001 - of the same class
        return prose

    def redact(self, text: str) -> str:
        """Return the text with every finding replaced.

        Raises: RedactionFailed when the text could not be checked; nothing of it is passed on.
        """
        return self._run(text)[0]

    def find(self, text: str) -> list[Finding]:
        """Return what `redact` would replace, in order, none overlapping.

        Raises: RedactionFailed when the text could not be checked.
        """
        return self._run(text)[1]

    def redact_mapping(self, attributes: Mapping[str, object]) -> dict[str, object]:
        """Return a copy fit to store: values under secret names gone, all other text redacted, at every depth.

        Raises: RedactionFailed when a value could not be checked.
        """
        return {self.redact(str(key)): self._redact_field(str(key), value, 1) for key, value in attributes.items()}

    def _redact_field(self, key: str, value: object, depth: int) -> object:
        if value is None or isinstance(value, bool):
            return value
        if depth > _MAX_DEPTH:
            return self._token(Kind.REDACTED, "")
        kind = kind_of_key(key)
        if kind in (Kind.PASSWORD, Kind.TOKEN):
            return self._token(kind, "")
        if isinstance(value, Mapping):
            return {self.redact(str(k)): self._redact_field(str(k), v, depth + 1) for k, v in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._redact_field(key, item, depth + 1) for item in value]
        text = value.decode("utf-8", "replace") if isinstance(value, bytes | bytearray) else str(value)
        cleaned = self._redact_value(key, text, kind)
        return value if cleaned == text and isinstance(value, int | float) else cleaned

    def _redact_value(self, key: str, text: str, kind: Kind | None) -> str:
        """Redact one value with its name in sight, since `card` or `phone` decides what a number is."""
        cleaned = self.redact(text)
        if cleaned != text or is_replaced(text):
            return cleaned
        if kind is Kind.USER and text and not text.isdigit():
            return self._token(kind, text)
        lead = f"{key}: "
        findings = [f for f in self.find(lead + text) if f.start >= len(lead)]
        return _replace(text, [f._replace(start=f.start - len(lead), end=f.end - len(lead)) for f in findings])

    def _run(self, text: str) -> tuple[str, list[Finding]]:
        if not isinstance(text, str):
            raise RedactionFailed(f"expected text, got {type(text).__name__}")
        if len(text) > _MAX_CHARACTERS:
            raise RedactionFailed(f"text of {len(text)} characters exceeds {_MAX_CHARACTERS}; split it at line ends")
        try:
            findings: list[Finding] = []
            for _ in range(_MAX_ROUNDS):
                found = self._scan(text)
                if not found:
                    return text, findings
                text = _replace(text, found)
                findings = _compose(findings, found)
        except Exception as error:  # noqa: BLE001 - whatever broke, the text must not pass
            raise RedactionFailed(f"a detector failed: {type(error).__name__}") from None
        whole = Finding(0, _original_length(text, findings), Kind.REDACTED, self._token(Kind.REDACTED, ""))
        return whole.replacement, [whole]

    def _scan(self, text: str) -> list[Finding]:
        view = fold(text)
        candidates = list(self._candidates(view))
        if not candidates:
            return []
        return [Finding(c.start, c.end, c.kind, self._token(c.kind, c.value)) for c in _without_overlaps(candidates)]

    def _candidates(self, view: View) -> Iterator[_Candidate]:
        fired = self._triggers.fired(view.raw)
        yield from self._from_rules(view, fired)
        if self._base64 in fired:
            yield from self._from_base64(view)
        if self._percent in fired:
            decoded = decode_percent(view)
            yield from self._from_rules(decoded, self._triggers.fired(decoded.raw))

    def _from_rules(self, view: View, fired: list[int]) -> Iterator[_Candidate]:
        count = len(self._rules)
        for index in fired:
            if index >= count or (self._rules[index] is network.WEB_RULE and not self._web_addresses):
                continue
            for start, end, kind in self._rules[index].find(view.raw):
                first, last = view.original(start, end)
                yield _Candidate(first, last, kind, view.text[start:end])

    def _from_base64(self, view: View) -> Iterator[_Candidate]:
        for start, end, decoded in randomness.base64_runs(view.raw):
            inner = View(decoded.decode("ascii"), decoded, None, None)
            found = list(self._from_rules(inner, self._triggers.fired(decoded)))
            if found:
                worst = min(found, key=lambda c: _RANK[c.kind])
                yield _Candidate(*view.original(start, end), worst.kind, worst.value)

    def _token(self, kind: Kind, value: str) -> str:
        if self._key is None or kind not in JOINABLE:
            return f"<{kind}>"
        spelling = network.canonical_address(value) if kind is Kind.IP else value
        subject = f"{kind}:{spelling.lower() if kind in (Kind.EMAIL, Kind.HOST) else spelling}"
        digest = hmac.digest(self._key, subject.encode("utf-8", "surrogatepass"), hashlib.sha256)
        return f"<{kind}:{digest[:4].hex()}>"


def _without_overlaps(candidates: list[_Candidate]) -> Iterator[_Candidate]:
    """Join overlapping candidates; the gravest kind, then the longest, names the result."""
    if len(candidates) == 1:
        yield candidates[0]
        return
    group: list[_Candidate] = []
    reach = -1
    for candidate in sorted(candidates):
        if candidate.start >= reach and group:
            yield _joined(group)
            group = []
        group.append(candidate)
        reach = max(reach, candidate.end)
    if group:
        yield _joined(group)


def _joined(group: list[_Candidate]) -> _Candidate:
    best = min(group, key=lambda c: (_RANK[c.kind], c.start - c.end))
    return best._replace(start=min(c.start for c in group), end=max(c.end for c in group))


def _replace(text: str, findings: Iterable[Finding]) -> str:
    pieces: list[str] = []
    at = 0
    for finding in findings:
        pieces += (text[at : finding.start], finding.replacement)
        at = finding.end
    return "".join((*pieces, text[at:]))


def _compose(earlier: list[Finding], later: list[Finding]) -> list[Finding]:
    """Return the findings of two rounds in offsets of the first text; a later one may swallow earlier ones."""
    composed: list[Finding] = []
    pending = iter(earlier)
    current = next(pending, None)
    shift = 0
    for finding in later:
        while current and current.start - shift < finding.start:
            composed.append(current)
            shift += (current.end - current.start) - len(current.replacement)
            current = next(pending, None)
        start = finding.start + shift
        while current and current.start - shift < finding.end:
            shift += (current.end - current.start) - len(current.replacement)
            current = next(pending, None)
        composed.append(finding._replace(start=start, end=finding.end + shift))
    if current:
        composed.append(current)
    return [*composed, *pending]


def _original_length(text: str, findings: list[Finding]) -> int:
    return len(text) + sum((f.end - f.start) - len(f.replacement) for f in findings)
