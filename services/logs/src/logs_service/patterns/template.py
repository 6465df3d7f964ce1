"""Templates: text in which `<*>` stands for any value, blanks and several words included."""

from __future__ import annotations

from logs_service.patterns.masking import WILDCARD


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
