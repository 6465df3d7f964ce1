"""Hostile documents are refused before any service hears of them, and known documents are not read twice."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLError, get_introspection_query, parse

from gateway.documents import MAX_CACHED_CHARACTERS, Documents
from gateway.limits import Measure, measure
from gateway.schema import Graph
from gateway.testing.stack import Script

EIGHT_LEVELS = "{ logs { nodes { summary { sentences { records { pattern { template } } } } } } }"
NINE_LEVELS = (
    "{ logs { edges { node { patterns { edges { node { ...P } } } } } } } "
    "fragment P on LogPatternCount { exemplars { pattern { id } } }"
)
FIELDS = " ".join(f"a{i}: __typename" for i in range(8))
DOUBLING = " ".join(f"fragment F{i} on Query {{ ...F{i + 1} ...F{i + 1} }}" for i in range(60))

HOSTILE = {
    "depth": (NINE_LEVELS, "DOCUMENT_TOO_LARGE"),
    "aliases": ("{ " + " ".join(f"a{i}: __typename" for i in range(16)) + " }", "DOCUMENT_TOO_LARGE"),
    "aliases in fragments": (f"{{ ...F ...F }} fragment F on Query {{ {FIELDS} }}", "DOCUMENT_TOO_LARGE"),
    "doubling fragments": (f"{{ ...F0 }} {DOUBLING} fragment F60 on Query {{ a: __typename }}", "DOCUMENT_TOO_LARGE"),
    "directives": ("{ __typename " + "@include(if: true) " * 10 + "}", "DOCUMENT_TOO_LARGE"),
    "tokens": ("{ " + "__typename " * 1_000 + "}", "GRAPHQL_PARSE_FAILED"),
    "a fragment in itself": ("{ ...F } fragment F on Query { __typename ...F }", "GRAPHQL_VALIDATION_FAILED"),
    "introspection": ("{ __schema { types { name } } }", "INTROSPECTION_OFF"),
    "introspection of a type": ('{ __type(name: "User") { name } }', "INTROSPECTION_OFF"),
}


@pytest.fixture(scope="module")
def documents() -> Documents:
    return Documents(Graph().core, development=False)


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_document_is_refused_quickly_and_reaches_no_service(script: Script, name: str) -> None:
    document, code = HOSTILE[name]
    token = script.token()
    before = script.gateway.rpcs()

    started = time.monotonic()
    response = await script.gateway.post(document, token=token, accept="application/graphql-response+json")
    seconds = time.monotonic() - started

    body = response.json()
    assert response.status_code == 400
    assert body["errors"][0]["extensions"]["code"] == code
    assert "data" not in body
    assert script.gateway.rpcs() == before
    assert seconds < 5


def documented(root: Path) -> Iterator[str]:
    for page in (root / "README.md", root / "docs" / "api.md"):
        yield from re.findall(r"```graphql\n(.*?)```", page.read_text(), re.DOTALL)


def test_every_documented_operation_is_valid_and_within_the_limits(documents: Documents, request: Any) -> None:
    operations = list(documented(Path(request.config.rootpath)))

    assert len(operations) >= 5
    assert {text: [error.message for error in documents.prepare(text).errors] for text in operations} == {
        text: [] for text in operations
    }


def test_measure_counts_levels_aliases_and_directives_with_fragments_written_out() -> None:
    document = parse(
        "query A @a { x: f { ...F } ...F @b } query B { __schema { types { fields { name } } } } "
        "fragment F on T @c { y: g @d { h { i } } ... @e { j } }"
    )

    assert measure(document) == [
        Measure(depth=4, aliases=3, directives=1 + 3 + 1 + 3),
        Measure(depth=1, aliases=0, directives=0),
    ]


def test_document_at_each_limit_passes(documents: Documents) -> None:
    aliases = "{ " + " ".join(f"a{i}: __typename" for i in range(15)) + " }"
    directives = "{ " + " ".join(f"a{i}: __typename @include(if: true)" for i in range(9)) + " }"

    assert [documents.prepare(text).errors for text in (EIGHT_LEVELS, aliases, directives)] == [(), (), ()]


def test_introspection_query_of_the_tools_passes_in_development() -> None:
    development = Documents(Graph().core, development=True)

    prepared = development.prepare(get_introspection_query(descriptions=True, input_value_deprecation=True))

    assert prepared.errors == ()


def test_known_document_is_neither_parsed_nor_validated_again(
    documents: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "query Known { me { id } }"
    first, hits = documents.prepare(text), documents.hits
    monkeypatch.setattr("gateway.documents.parse", None)
    monkeypatch.setattr("gateway.documents.validate", None)

    second = documents.prepare(text)

    assert second is first
    assert documents.hits == hits + 1


def test_refused_document_is_remembered_too(documents: Documents, monkeypatch: pytest.MonkeyPatch) -> None:
    first = documents.prepare(NINE_LEVELS)
    monkeypatch.setattr("gateway.documents.parse", None)

    assert documents.prepare(NINE_LEVELS).errors == first.errors != ()


def test_long_text_is_not_kept(documents: Documents) -> None:
    text = "query Long { me { id } } #" + "x" * MAX_CACHED_CHARACTERS
    hits = documents.hits

    documents.prepare(text)
    documents.prepare(text)

    assert documents.hits == hits


async def test_same_document_over_http_hits_the_cache_and_its_rules(script: Script) -> None:
    documents, query = script.gateway.gateway.operations.documents, "query Again { __typename }"
    await script.gateway.data(query)
    hits = documents.hits

    await script.gateway.data(query)
    await script.gateway.data(query)

    assert documents.hits == hits + 2


def test_production_suggests_no_names(documents: Documents) -> None:
    (error,) = documents.prepare("{ lgos { nodes { id } } }").errors

    assert error.message == "Cannot query field 'lgos' on type 'Query'."


def test_operation_has_to_be_named_among_several(documents: Documents) -> None:
    prepared = documents.prepare("query A { me { id } } query B { __typename }")

    assert prepared.operation("B").root_fields == {"__typename"}
    for name in (None, "", "C"):
        with pytest.raises(GraphQLError, match="operationName must name"):
            prepared.operation(name)


def test_root_fields_include_those_in_fragments(documents: Documents) -> None:
    prepared = documents.prepare("{ ...F ... on Query { me { id } } } fragment F on Query { users { nodes { id } } }")

    assert prepared.operation(None).root_fields == {"me", "users"}
