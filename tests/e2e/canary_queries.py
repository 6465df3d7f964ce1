"""Every question that the graph can be asked, made from its schema: each field of each type, at each place once."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    get_named_type,
    is_leaf_type,
)
from tests.e2e.client import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.e2e.client import Client

MAXIMUM_DEPTH = 8
NESTED = 5
"""Items of a list within another one: a document may touch so many things and no more."""
ARGUMENTS = {
    "first": str(NESTED), "hours": "24", "bucketSeconds": "3600", "maximumBuckets": "10", "buckets": "10",
    "asOf": "{version: 1}", "fromVersion": "1", "toVersion": "2", "includeRedriven": "true",
}  # fmt: skip
"""What is given for an argument that has to be given, or that narrows what is told."""
TARGETS = {"log": "logId", "ticket": "ticketId", "changelog": "changelogId"}


@dataclass(frozen=True)
class Question:
    """A document, and what it goes through."""

    place: str
    document: str
    pages: bool = False
    """Whether it takes `after`, to be asked on until the list ends."""


@cache
def schema() -> GraphQLSchema:
    return build_schema(SCHEMA.read_text(), assume_valid=True)


def _arguments(field: GraphQLField, given: Mapping[str, str]) -> str | None:
    """The arguments of a field in brackets; None where one has to be given and nobody said what."""
    found = {}
    for name, argument in field.args.items():
        value = given.get(name) or ARGUMENTS.get(name)
        if value is not None:
            found[name] = value
        elif isinstance(argument.type, GraphQLNonNull) and getattr(argument.ast_node, "default_value", None) is None:
            return None
    return f"({', '.join(f'{name}: {value}' for name, value in found.items())})" if found else ""


def _objects(named: GraphQLNamedType) -> list[GraphQLObjectType]:
    """The object types that stand behind a type."""
    if isinstance(named, GraphQLUnionType | GraphQLInterfaceType):
        return list(schema().get_possible_types(named))
    return [named] if isinstance(named, GraphQLObjectType) else []


def _leaves(one: GraphQLObjectType) -> str:
    told = [
        f"{name}{arguments}"
        for name, field in one.fields.items()
        if is_leaf_type(get_named_type(field.type)) and (arguments := _arguments(field, {})) is not None
    ]
    return " ".join(["__typename", *told])


def _selection(named: GraphQLNamedType, only: GraphQLObjectType, inner: str) -> str:
    return inner if named is only else f"__typename ... on {only.name} {{ {inner} }}"


def _wrapped(steps: tuple[tuple[str, GraphQLNamedType, GraphQLObjectType], ...], leaves: str) -> str:
    inner = leaves
    for call, named, only in reversed(steps):
        inner = f"{call} {{ {_selection(named, only, inner)} }}"
    return inner


def questions(given: Mapping[str, list[dict[str, str]]]) -> Iterator[Question]:
    """All of them; `given` says with which arguments each field of Query that needs some is asked.

    Raises:
        AssertionError: a field has to be given an argument that nobody thought of, so it would go unasked.
    """
    query = schema().query_type
    assert query is not None
    for name, field in query.fields.items():
        if name.startswith("_"):
            continue
        for number, arguments in enumerate(given.get(name, [{}])):
            yield from _below(name, field, arguments, seen=set(), label=f"{name}[{number}]")


def _below(
    root: str, field: GraphQLField, arguments: Mapping[str, str], *, seen: set[tuple[str, str]], label: str
) -> Iterator[Question]:
    pages = "after" in field.args
    call = _arguments(field, {**arguments, **({"first": "$first", "after": "$after"} if pages else {})})
    assert call is not None, f"say with which arguments {root} is asked: GIVEN"
    head = "query Q($first: Int!, $after: String) " if pages else "query Q "
    named = get_named_type(field.type)
    waiting: deque[tuple[tuple[str, GraphQLNamedType, GraphQLObjectType], ...]] = deque()
    waiting.extend(((f"{root}{call}", named, only),) for only in _objects(named))
    while waiting:
        steps = waiting.popleft()
        _, _, last = steps[-1]
        page_info = pages and len(steps) == 1 and "pageInfo" in last.fields
        leaves = _leaves(last) + (" pageInfo { hasNextPage endCursor }" if page_info else "")
        place = ".".join([label, *(step[0].partition("(")[0] for step in steps[1:])])
        # A page of a list is asked for to its end where its items themselves are told.
        items = pages and len(steps) <= 3 and steps[-1][0] in {"nodes", "node"}
        body = _wrapped(steps, leaves)
        if items:
            body = f"{body[:-1]} pageInfo {{ hasNextPage endCursor }} }}"
        yield Question(place, f"{head}{{ {body} }}", pages=items)
        if len(steps) + 1 >= MAXIMUM_DEPTH:
            continue
        for name, inner in last.fields.items():
            below = get_named_type(inner.type)
            if isinstance(below, GraphQLEnumType) or is_leaf_type(below) or (last.name, name) in seen:
                continue
            seen.add((last.name, name))
            told = _arguments(inner, {})
            assert told is not None, f"say what to give {last.name}.{name}: ARGUMENTS"
            waiting.extend((*steps, (f"{name}{told}", below, only)) for only in _objects(below))


def ids_of(admin: Client) -> dict[str, list[dict[str, str]]]:
    """With which arguments fields of Query are asked: the newest things that there are."""
    found = admin.data(
        "{ logs(first: 3) { nodes { id } } tickets(first: 3) { edges { node { id } } }"
        " changelogs(first: 3) { nodes { id } } me { id }"
        " deadLetters(service: TICKETS, first: 3) { nodes { id } } }"
    )
    ids = {
        "log": [node["id"] for node in found["logs"]["nodes"]],
        "ticket": [edge["node"]["id"] for edge in found["tickets"]["edges"]],
        "changelog": [node["id"] for node in found["changelogs"]["nodes"]],
    }
    services = _names("ServiceName")
    letters = [{"service": "TICKETS", "id": f'"{node["id"]}"'} for node in found["deadLetters"]["nodes"]]
    assert all(ids.values()) and letters, found  # noqa: PT018 - what is not there is not asked for
    told = {name: [{"id": f'"{each}"'} for each in those] for name, those in ids.items()}
    targets = [{"target": f'{{{TARGETS[name]}: "{those[0]}"}}'} for name, those in ids.items()]
    return {
        **told,
        "replayChanges": [*targets, {"target": f'{{userId: "{found["me"]["id"]}"}}'}],
        "deadLetters": [{"service": service} for service in services],
        "deadLetter": letters,
    }


def _names(enum: str) -> list[str]:
    named = schema().type_map[enum]
    assert isinstance(named, GraphQLEnumType)
    return list(named.values)


def answers(who: Client, asked: Question, *, first: int, pages: int) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Each answer as it came, and what is in it; the pages of a list one after the other."""
    after: str | None = None
    for _ in range(pages if asked.pages else 1):
        response = who.post(asked.document, {"first": first, "after": after})
        yield response.content, response.json()
        info = _page_info(response.json().get("data"))
        if not info or not info["hasNextPage"]:
            return
        after = info["endCursor"]


def _page_info(data: dict[str, Any] | None) -> dict[str, Any] | None:
    for value in (data or {}).values():
        if isinstance(value, dict) and "pageInfo" in value:
            info: dict[str, Any] = value["pageInfo"]
            return info
    return None


def entities(given: Mapping[str, list[dict[str, str]]]) -> list[tuple[str, dict[str, object]]]:
    """Things as other subgraphs name them, with their plain fields."""
    wanted = {"log": "Log", "ticket": "Ticket", "changelog": "Changelog"}
    named = schema().type_map
    found: list[tuple[str, dict[str, object]]] = []
    for field, type_name in wanted.items():
        one = named[type_name]
        assert isinstance(one, GraphQLObjectType)
        plain = f"... on {type_name} {{ {_leaves(one)} }}"
        document = f"query E($r: [_Any!]!) {{ _entities(representations: $r) {{ {plain} }} }}"
        keys = [{"__typename": type_name, "id": each["id"].strip('"')} for each in given[field]]
        found.append((document, {"r": keys}))
    return found
