"""Templates: text in which `<*>` stands for any value, blanks and several words included."""

from __future__ import annotations

from logs_service.patterns.masking import WILDCARD


def template_matches(template: str, body: str) -> bool:
    """Whether a message is an instance of a template; runs of blanks count as one blank."""
    return _spans(template, body) is not None


def parameters(template: str, body: str) -> list[str]:
    """The values that a message has where its template has `<*>`, in order; empty when it does not match."""
    text = " ".join(body.split())
    spans = _spans(template, body)
    return [] if spans is None else [text[start:end] for start, end in spans]


def _spans(template: str, body: str) -> list[tuple[int, int]] | None:
    text = " ".join(body.split())
    pieces = " ".join(template.split()).split(WILDCARD)
    if len(pieces) == 1:
        return [] if text == pieces[0] else None
    first, last = pieces[0], pieces[-1]
    if not text.startswith(first) or not text.endswith(last) or len(text) < len(first) + len(last):
        return None
    # The leftmost place of each literal piece leaves most room for the rest, so a match is found if there is one.
    spans, position, limit = [], len(first), len(text) - len(last)
    for piece in pieces[1:-1]:
        found = text.find(piece, position, limit)
        if found < 0:
            return None
        spans.append((position, found))
        position = found + len(piece)
    spans.append((position, limit))
    return spans


def token_matches(template_token: str, token: str) -> bool:
    """Whether one word of a masked message is covered by one word of a template."""
    if template_token == WILDCARD:
        return True
    pieces = template_token.split(WILDCARD)
    first, last = pieces[0], pieces[-1]
    if len(pieces) == 1:
        return template_token == token
    if not token.startswith(first) or not token.endswith(last) or len(token) < len(first) + len(last):
        return False
    position, limit = len(first), len(token) - len(last)
    for piece in pieces[1:-1]:
        found = token.find(piece, position, limit)
        if found < 0:
            return False
        position = found + len(piece)
    return True
