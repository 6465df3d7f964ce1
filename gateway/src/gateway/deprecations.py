"""What of the schema is on its way out, and who still uses it: counted for each operation, by field."""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLInputObjectType,
    GraphQLSchema,
    ObjectFieldNode,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    type_from_ast,
    visit,
)


def named_by(schema: GraphQLSchema, document: DocumentNode) -> frozenset[str]:
    """The deprecated fields that a valid document selects or gives, such as `Ticket.message`."""
    types = TypeInfo(schema)
    collecting = _Collecting(types)
    visit(document, TypeInfoVisitor(types, collecting))
    return frozenset(collecting.found)


def given_in(schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any] | None) -> frozenset[str]:
    """The deprecated fields of inputs that come in variables."""
    found: set[str] = set()
    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    for operation in operations:
        for variable in operation.variable_definitions or ():
            taken = type_from_ast(schema, variable.type)
            if taken is not None:
                found.update(_within(get_named_type(taken), (variables or {}).get(variable.variable.name.value)))
    return frozenset(found)


def _within(type_: object, value: object) -> Iterator[str]:
    if not isinstance(type_, GraphQLInputObjectType):
        return
    # Lists of the schema are one deep; whatever a client nests deeper is refused later, and not walked into here.
    for each in value if isinstance(value, list) else [value]:
        for name, held in each.items() if isinstance(each, dict) else ():
            field = type_.fields.get(name)
            if field is not None and held is not None:
                if field.deprecation_reason:
                    yield f"{type_.name}.{name}"
                yield from _within(get_named_type(field.type), held)


class _Collecting(Visitor):
    """Notes each deprecated field that it comes by."""

    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self.found: set[str] = set()
        self._types = types

    def enter_field(self, node: FieldNode, *_args: object) -> None:
        """A field that is selected."""
        field, parent = self._types.get_field_def(), self._types.get_parent_type()
        if field is not None and parent is not None and field.deprecation_reason:
            self.found.add(f"{parent.name}.{node.name.value}")

    def enter_object_field(self, node: ObjectFieldNode, *_args: object) -> None:
        """A field of an input that is written into the document."""
        parent = self._types.get_parent_input_type()
        named = get_named_type(parent) if parent is not None else None
        if isinstance(named, GraphQLInputObjectType):
            self.found.update(_within(named, {node.name.value: True}))
