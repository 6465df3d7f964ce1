"""The schema as a file and as a promise: current, described, and a subgraph that others can compose."""

from pathlib import Path

from graphql import GraphQLObjectType, GraphQLUnionType, is_non_null_type

import gateway
from gateway.schema import ENTITIES, Graph

SDL = Path(gateway.__file__).parent / "schema.graphql"
OF_KEYS = ("IdempotencyKeyReused", "IdempotencyInProgress")
LIBRARY_TYPES = {"_Any", "_Entity", "_Service", "_FieldSet", "link__Purpose", "link__Import"}


def test_committed_sdl_is_current() -> None:
    assert SDL.read_text() == Graph().as_str() + "\n", "run: python dev/write_sdl.py"


def test_every_type_field_and_value_is_described() -> None:
    undescribed = []
    for name, graphql_type in Graph().core.type_map.items():
        if name.startswith("__") or name in LIBRARY_TYPES:
            continue
        parts = {**getattr(graphql_type, "fields", {}), **getattr(graphql_type, "values", {})}
        undescribed += [name] if not graphql_type.description else []
        undescribed += [f"{name}.{part}" for part, value in parts.items() if not value.description]

    assert undescribed == ["Query._service"]


def test_each_entity_has_its_key_and_can_be_referred_to() -> None:
    sdl = Graph().as_str()

    for name, entity in ENTITIES.items():
        assert f'type {name} @key(fields: "id")' in sdl
        assert hasattr(entity, "resolve_reference")
    union = Graph().core.type_map["_Entity"]
    assert isinstance(union, GraphQLUnionType)
    assert {member.name for member in union.types} == set(ENTITIES)


def test_root_query_fields_are_nullable_so_that_one_dead_service_costs_one_field() -> None:
    query = Graph().core.query_type

    assert isinstance(query, GraphQLObjectType)
    assert [name for name, field in query.fields.items() if is_non_null_type(field.type)] == ["_entities", "_service"]


def test_every_mutation_takes_one_input_with_a_key_and_ends_in_a_union_with_typed_errors() -> None:
    schema = Graph().core
    mutation = schema.mutation_type
    assert isinstance(mutation, GraphQLObjectType)

    for name, field in mutation.fields.items():
        title = name[0].upper() + name[1:]
        union = schema.type_map[f"{title}Result"]
        assert isinstance(union, GraphQLUnionType)
        assert str(field.type) == f"{title}Result!"
        assert {key: str(argument.type) for key, argument in field.args.items()} == {"input": f"{title}Input!"}
        assert "idempotencyKey" in getattr(schema.type_map[f"{title}Input"], "fields", {})
        members = {member.name: member for member in union.types}
        assert {f"{title}Success", "ValidationError", "ConflictError", *OF_KEYS} <= set(members), name
        for member in set(members) - {f"{title}Success"}:
            assert [interface.name for interface in members[member].interfaces] == ["UserError"]
        takes_version = "expectedVersion" in getattr(schema.type_map[f"{title}Input"], "fields", {})
        # A refresh token is a version of its session. Documents from before the other name stay valid.
        for conflict in ("VersionConflict", "VersionConflictError"):
            assert (takes_version or name == "refresh") == (conflict in members), (name, conflict)
