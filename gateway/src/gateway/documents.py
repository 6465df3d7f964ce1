"""Documents, parsed and validated once: clients send the same few again and again.

One cache for both steps, keyed by the text. It holds no long text: pasted logs belong into variables, and hundreds of
them must not stay in memory.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    parse,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from gateway import deprecations
from gateway.cost import Cost, costs
from gateway.limits import MAX_TOKENS, NoIntrospection, WithinLimits, refuse_longer

MAX_CACHED_DOCUMENTS = 512
MAX_CACHED_CHARACTERS = 20_000

VALIDATION_RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)


@dataclass(frozen=True)
class Operation:
    """One operation of a document."""

    name: str
    type: OperationType
    root_fields: frozenset[str]
    """Names of the fields at its root, those in fragments included."""
    answer_count: int
    """How many fields its answer has at the root: two with the same name under two aliases are two."""
    cost: Cost
    """What it may cost."""


@dataclass(frozen=True)
class Prepared:
    """A parsed document and what validation says of it."""

    text: str
    document: DocumentNode
    errors: tuple[GraphQLError, ...]
    operations: Mapping[str, Operation]
    deprecated: frozenset[str] = frozenset()
    """Fields on their way out that the document names."""

    def operation(self, name: str | None) -> Operation:
        """The operation that is to run.

        Raises:
            GraphQLError: there is none of this name, or the document has several and no name was given.
        """
        if not name and len(self.operations) == 1:
            return next(iter(self.operations.values()))
        operation = self.operations.get(name or "")
        if operation is None or not name:
            raise GraphQLError("operationName must name one of the document's operations")
        return operation


class Documents:
    """Parses and validates, and remembers."""

    def __init__(self, schema: GraphQLSchema, *, development: bool) -> None:
        self.schema = schema
        self._development = development
        # A document over the limits is refused before rules whose effort grows with its size see it.
        self._first_rules = (WithinLimits,) if development else (WithinLimits, NoIntrospection)
        self._remembered = lru_cache(MAX_CACHED_DOCUMENTS)(self._prepare)

    @property
    def hits(self) -> int:
        """How often a document was neither parsed nor validated because it was known."""
        return self._remembered.cache_info().hits

    def prepare(self, text: str) -> Prepared:
        """The document with its validation errors.

        Raises:
            GraphQLError: it is no document at all, or one of too many characters or tokens.
        """
        refuse_longer(text)
        return self._remembered(text) if len(text) <= MAX_CACHED_CHARACTERS else self._prepare(text)

    def _prepare(self, text: str) -> Prepared:
        document = parse(text, max_tokens=MAX_TOKENS)
        errors = validate(self.schema, document, self._first_rules) or validate(
            self.schema, document, VALIDATION_RULES, hide_suggestions=not self._development
        )
        if errors:
            return Prepared(text, document, tuple(errors), {})
        deprecated = deprecations.named_by(self.schema, document)
        return Prepared(text, document, (), dict(_operations(self.schema, document)), deprecated)


def _operations(schema: GraphQLSchema, document: DocumentNode) -> Iterator[tuple[str, Operation]]:
    """Valid documents only: their fragments exist and do not contain themselves."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            name = node.name.value if node.name else ""
            roots = list(_fields(node.selection_set, fragments))
            names = frozenset(field.name.value for field in roots)
            answers = {(field.alias or field.name).value for field in roots if field.name.value != "__typename"}
            cost = costs(schema, node, fragments.values())
            yield name, Operation(name, node.operation, names, len(answers), cost)


def _fields(selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]) -> Iterator[FieldNode]:
    todo, seen = [selections], set[str]()
    while todo:
        for selection in todo.pop().selections:
            if isinstance(selection, FieldNode):
                yield selection
            elif isinstance(selection, InlineFragmentNode):
                todo.append(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in seen:
                seen.add(selection.name.value)
                todo.append(fragments[selection.name.value].selection_set)
