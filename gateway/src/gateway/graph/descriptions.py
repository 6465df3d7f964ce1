"""Docstrings become the schema's descriptions, so that the words beside the code are the words in the API."""

import ast
import inspect
import textwrap
from enum import Enum
from functools import cache
from itertools import pairwise
from typing import Any

from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.enum import StrawberryEnumDefinition
from strawberry.types.field import StrawberryField

BACKREF = "strawberry-definition"


def describe(schema: GraphQLSchema) -> None:
    """Give every type, field and value that has none its docstring."""
    for graphql_type in schema.type_map.values():
        definition = graphql_type.extensions.get(BACKREF)
        if isinstance(graphql_type, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType) and isinstance(
            definition, StrawberryObjectDefinition
        ):
            written = definition.concrete_of or definition  # a generic type's words are at its template
            graphql_type.description = graphql_type.description or _class_doc(written.origin)
            for field in graphql_type.fields.values():
                field.description = field.description or _field_doc(written.origin, field.extensions.get(BACKREF))
        elif isinstance(graphql_type, GraphQLEnumType) and isinstance(definition, StrawberryEnumDefinition):
            graphql_type.description = graphql_type.description or _class_doc(definition.wrapped_cls)
            docs = _attribute_docs(definition.wrapped_cls)
            for name, value in graphql_type.values.items():
                value.description = value.description or docs.get(name)


def _first_paragraph(doc: str | None) -> str | None:
    return " ".join(inspect.cleandoc(doc).split("\n\n")[0].split()) if doc else None


def _class_doc(cls: type) -> str | None:
    # A class without a docstring inherits its base's, which says something else.
    return _first_paragraph(cls.__dict__.get("__doc__")) if cls.__module__.startswith("gateway.") else None


def _field_doc(origin: type, field: object) -> str | None:
    if not isinstance(field, StrawberryField):
        return None
    if field.base_resolver is not None:
        return _first_paragraph(getattr(field.base_resolver.wrapped_func, "__doc__", None))
    for cls in origin.__mro__:
        doc = _attribute_docs(cls).get(field.python_name) if cls.__module__.startswith("gateway.") else None
        if doc is not None:
            return doc
    return None


@cache
def _attribute_docs(cls: type[Any] | type[Enum]) -> dict[str, str | None]:
    """The string beneath each attribute."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    docs: dict[str, str | None] = {}
    for statement, following in pairwise(body):
        names = (
            [statement.target]
            if isinstance(statement, ast.AnnAssign)
            else statement.targets
            if isinstance(statement, ast.Assign)
            else []
        )
        if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
            docs |= {
                name.id: _first_paragraph(following.value.value)
                for name in names
                if isinstance(name, ast.Name) and isinstance(following.value.value, str)
            }
    return docs
