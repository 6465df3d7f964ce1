"""Inputs that grow by repetition, made from the triggers of every detector: where time could outgrow length.

A trigger is walked like a grammar, each choice drawn once more for every variant; what comes out fires the detector by
construction. A new detector is searched as soon as it has a trigger.
"""

from __future__ import annotations

import random
import re._parser as grammar  # type: ignore[import-not-found]  # the only parser of patterns that Python has
from typing import TYPE_CHECKING, Any

from chassis.redaction import accounts, network, numbers, providers, randomness, secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

GLUE = ("", " ", ",", "=", ":", ".", "/", "@", "\n", '"', "é", "\u200b", "%40")


def triggers() -> list[bytes]:
    """The triggers of all detectors."""
    modules = (providers.RULES, secrets.RULES, network.RULES, (network.WEB_RULE,), accounts.RULES, numbers.RULES)
    return [rule.trigger for rules in modules for rule in rules] + [randomness.BASE64_TRIGGER]


def pieces(variants: int, seed: int) -> Iterator[str]:
    """Texts that fire one detector each, with something to glue the next one on."""
    rng = random.Random(seed)  # noqa: S311 - repeatable, not secret
    for trigger in triggers():
        pattern = trigger.decode("latin-1")
        parsed = grammar.parse(re_python(pattern))
        for _ in range(variants):
            yield "".join(_walk(parsed, rng)) + rng.choice(GLUE)


def re_python(pattern: str) -> str:
    """The pattern as Python's parser takes it: flags in the middle go, since they only matter for matching."""
    return pattern.replace("(?i:", "(?:").replace("(?i)", "").replace("\\z", "\\Z")


def _walk(parsed: Any, rng: random.Random) -> Iterator[str]:
    for operation, value in parsed:
        name = str(operation)
        if name == "LITERAL":
            yield chr(value)
        elif name == "IN":
            yield _member(value, rng)
        elif name in {"NOT_LITERAL", "ANY"}:
            yield rng.choice("a1 -")
        elif name == "BRANCH":
            yield from _walk(rng.choice(value[1]), rng)
        elif name == "SUBPATTERN":
            yield from _walk(value[3], rng)
        elif name in {"MAX_REPEAT", "MIN_REPEAT"}:
            least, most, inner = value
            for _ in range(rng.randint(least, min(int(most), least + 3))):
                yield from _walk(inner, rng)


def _member(choices: Any, rng: random.Random) -> str:
    operation, value = rng.choice(choices)
    name = str(operation)
    if name == "LITERAL":
        return chr(value)
    if name == "RANGE":
        return chr(rng.randint(value[0], value[1]))
    if name == "CATEGORY":
        return " " if "SPACE" in str(value) else "7" if "DIGIT" in str(value) else "a"
    return "x"
