"""Requests that nobody thought of: made from the schema of the graph, from our own documents, and from the doors."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import orjson
import schemathesis
from graphql import OperationDefinitionNode, introspection_from_schema, parse
from hypothesis import strategies as st
from schemathesis.core.result import Ok

from gateway.schema import Graph

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from hypothesis.strategies import SearchStrategy

TEXT = {"type": "string"}
ANSWER = {"responses": {"default": {"description": "any"}}}
CREDENTIALS = {"type": "object", "properties": {"email": TEXT, "password": TEXT}, "required": ["email", "password"]}


def _takes(media_type: str, schema: Mapping[str, object]) -> dict[str, object]:
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema}}}, **ANSWER}


def _given(where: str, *names: str) -> list[dict[str, object]]:
    return [{"name": name, "in": where, "schema": TEXT} for name in names]


PARTICULARS = [
    *_given("query", "name", "service", "timezone"),
    *_given("header", "content-encoding", "idempotency-key"),
]
KEYED = _given("header", "x-aiops-csrf", "origin", "sec-fetch-site", "idempotency-key")
OIDC = "/v1/session/oidc"
DOORS = {
    "openapi": "3.1.0",
    "info": {"title": "doors", "version": "1"},
    "paths": {
        "/graphql": {"post": _takes("application/json", {"type": "object", "properties": {"query": TEXT}})},
        "/v1/logs/upload": {
            "post": {**_takes("application/octet-stream", {**TEXT, "format": "binary"}), "parameters": PARTICULARS}
        },
        "/v1/session": {
            "post": {**_takes("application/json", CREDENTIALS), "parameters": KEYED},
            "delete": {**ANSWER, "parameters": [*KEYED, *_given("cookie", "aiops_refresh")]},
        },
        "/v1/session/refresh": {"post": {**ANSWER, "parameters": [*KEYED, *_given("cookie", "aiops_refresh")]}},
        OIDC: {"get": ANSWER},
        f"{OIDC}/start": {"get": {**ANSWER, "parameters": _given("query", "next")}},
        f"{OIDC}/callback": {
            "get": {
                **ANSWER,
                "parameters": [
                    *_given("query", "state", "code", "iss", "error"),
                    *_given("cookie", "aiops_sign_in"),
                ],
            }
        },
        f"{OIDC}/logout": {
            "post": _takes(
                "application/x-www-form-urlencoded", {"type": "object", "properties": {"logout_token": TEXT}}
            )
        },
    },
}
"""The doors beside the graph; which there are is held by gateway/tests/test_csrf.py."""

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=50),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=15,
)
ID = re.compile(r'\b((?:id|[a-z]+Id): )"(?:[^"\\]|\\.)*"')
VERSION = re.compile(r"\b(expectedVersion: )-?\d+")
FIRST = re.compile(r"\b(first: )-?\d+")


@cache
def from_schema() -> SearchStrategy[str]:
    """Documents of one root field each, valid for the schema, with any values in them."""
    schema = schemathesis.graphql.from_dict(dict(introspection_from_schema(Graph().core)))
    made = [each.ok().as_strategy() for each in schema.get_all_operations() if isinstance(each, Ok)]
    assert len(made) > 50, made
    return st.one_of(made).map(lambda case: str(case.body))


@cache
def of_ours() -> list[tuple[str, list[str]]]:
    """The documents of our own clients, and the names of their variables."""
    manifests = [each for each in (files("gateway") / "manifests").iterdir() if each.name.endswith(".json")]
    found = []
    for text in sorted({text for each in manifests for text in orjson.loads(each.read_bytes()).values()}):
        nodes = [node for node in parse(text).definitions if isinstance(node, OperationDefinitionNode)]
        found.append((text, [each.variable.name.value for node in nodes for each in node.variable_definitions or ()]))
    return found


def plausible(text: str, ids: list[str], chance: Random) -> str:
    """The document about things that there are, mostly: what is not there is soon answered."""
    text = ID.sub(lambda found: f'{found[1]}"{chance.choice(ids)}"', text) if chance.random() < 0.9 else text
    text = VERSION.sub(lambda found: f"{found[1]}{chance.randint(1, 4)}", text) if chance.random() < 0.9 else text
    return FIRST.sub(lambda found: f"{found[1]}{chance.randint(1, 30)}", text) if chance.random() < 0.9 else text


@st.composite
def operations(draw: Any, ids: list[str]) -> dict[str, Any]:
    """The body of a request: a made document, or one of ours with any variables."""
    chance = draw(st.randoms(use_true_random=False))
    if draw(st.integers(0, 4)):
        return {"query": plausible(draw(from_schema()), ids, chance)}
    text, names = draw(st.sampled_from(of_ours()))
    value = JSON | st.sampled_from(ids) | st.fixed_dictionaries({}, optional={"id": st.sampled_from(ids), "a": JSON})
    return {"query": text, "variables": {name: draw(value) for name in names}}


@cache
def of_doors() -> SearchStrategy[Any]:
    """Requests at the doors, with what they take and with what they do not."""
    schema = schemathesis.openapi.from_dict(DOORS)
    modes = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
    made = [each.ok() for each in schema.get_all_operations() if isinstance(each, Ok)]
    assert len(made) == 9, made
    return st.one_of([each.as_strategy(generation_mode=mode) for each in made for mode in modes])
