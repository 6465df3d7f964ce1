"""What an operation may cost: the objects that its answer may hold, known before anything is fetched.

A list counts as many objects as `first` allows, and all that is selected of each; lists in lists multiply. Scalars are
free. A write counts more, and each item of a list that is sent counts one. The cost is a sum of products of numbers
that come with the variables, made once for a document, so that a request costs no more than to work it out.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_leaf_type,
    value_from_ast_untyped,
)
from graphql.pyutils import Undefined

WRITE_COST = 10
"""What a field of a mutation counts beside its answer: it locks, stores and tells others."""
LIST_ITEMS = 10
"""What a list counts that has no `first`: such lists are parts of their owner, and short."""


@dataclass(frozen=True)
class Given:
    """A number that comes with a variable: its value, or how many items it holds."""

    variable: str
    counts_items: bool
    otherwise: int
    """Where the variable is left out."""

    def within(self, variables: Mapping[str, Any]) -> int:
        """The number; 0 for what is none, which execution refuses."""
        value = variables.get(self.variable)
        if value is None:
            return self.otherwise
        if self.counts_items:
            return _items(value)
        return max(0, int(value)) if isinstance(value, int | float) and not isinstance(value, bool) else 0


Size = int | Given
Product = tuple[Given, ...]


@dataclass(frozen=True)
class Cost:
    """A sum of products."""

    products: Mapping[Product, int]
    """Each with the factor that it is taken times."""

    def of(self, variables: Mapping[str, Any] | None) -> int:
        """The cost with these variables."""
        total, given = 0, variables or {}
        for product, factor in self.products.items():
            for number in product:
                factor *= number.within(given)  # noqa: PLW2901
            total += factor
        return total

    def plus(self, *others: "Cost") -> "Cost":
        """Both."""
        products = dict(self.products)
        for other in others:
            for product, factor in other.products.items():
                products[product] = products.get(product, 0) + factor
        return Cost(products)

    def times(self, size: Size) -> "Cost":
        """All of it for each of so many items."""
        if isinstance(size, int):
            return Cost({product: factor * size for product, factor in self.products.items()})
        return Cost({(size, *product): factor for product, factor in self.products.items()})


NOTHING = Cost({})
ONE = Cost({(): 1})


def costs(
    schema: GraphQLSchema, operation: OperationDefinitionNode, fragments: Iterable[FragmentDefinitionNode]
) -> Cost:
    """The cost of an operation of a valid document."""
    root = schema.get_root_type(operation.operation)
    assert root is not None, "validation refuses what has no root type"
    return _Costing(schema, operation, {node.name.value: node for node in fragments}).selections(
        operation.selection_set, root, None
    )


class _Costing:
    """Works out each fragment once, so that fragments of fragments cost no more to count than to read."""

    def __init__(
        self, schema: GraphQLSchema, operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
    ) -> None:
        self._schema = schema
        self._write = WRITE_COST if operation.operation is OperationType.MUTATION else 0
        self._root = schema.get_root_type(operation.operation)
        self._fragments = fragments
        self._known: dict[tuple[str, Size | None], Cost] = {}
        self._defaults = {
            node.variable.name.value: value_from_ast_untyped(node.default_value)
            for node in operation.variable_definitions or ()
            if node.default_value is not None
        }

    def selections(self, node: SelectionSetNode, parent: GraphQLNamedType, page: Size | None) -> Cost:
        """What is selected of one object; `page`: how many items its lists hold, where the field above says so."""
        return NOTHING.plus(*(self._selection(selection, parent, page) for selection in node.selections))

    def _selection(self, node: Any, parent: GraphQLNamedType, page: Size | None) -> Cost:
        if isinstance(node, FieldNode):
            return self._field(node, parent, page)
        if isinstance(node, FragmentSpreadNode):
            name = node.name.value
            if (name, page) not in self._known:
                self._known[name, page] = self._conditional(self._fragments[name], parent, page)
            return self._known[name, page]
        return self._conditional(node, parent, page)

    def _conditional(
        self, node: InlineFragmentNode | FragmentDefinitionNode, parent: GraphQLNamedType, page: Size | None
    ) -> Cost:
        on = node.type_condition
        return self.selections(node.selection_set, self._schema.type_map[on.name.value] if on else parent, page)

    def _field(self, node: FieldNode, parent: GraphQLNamedType, page: Size | None) -> Cost:
        name = node.name.value
        fields = parent.fields if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else {}
        if name not in fields:  # what tells of the schema, and touches no service
            return NOTHING
        field, named = fields[name], get_named_type(fields[name].type)
        sent = NOTHING.plus(*(ONE.times(size) for size in self._sent_with(node, field)))
        at_root = parent is self._root
        own = sent.plus(ONE.times(self._write)) if at_root and self._write else sent
        if not is_composite_type(named) or node.selection_set is None:
            return own.plus(ONE) if at_root else own
        first = self._first(node, field)
        if isinstance(get_nullable_type(field.type), GraphQLList):
            inner = self.selections(node.selection_set, named, None)
            if page is not None:  # its items are counted where the page is
                return own.plus(inner.times(page))
            return own.plus(inner.plus(ONE).times(self._length(node, first)))
        inner = self.selections(node.selection_set, named, first)
        rows = NOTHING if first is None else ONE.times(first)
        counted = NOTHING if name == "node" and parent.name.endswith("Edge") else ONE
        return own.plus(counted, rows, inner)

    def _length(self, node: FieldNode, first: Size | None) -> Size:
        if first is not None:
            return first
        for argument in node.arguments or ():
            if argument.name.value == "representations":
                sizes = self._sent(argument.value)
                return sizes[0] if len(sizes) == 1 else sum(size for size in sizes if isinstance(size, int))
        return LIST_ITEMS

    def _first(self, node: FieldNode, field: GraphQLField) -> Size | None:
        """How many items a field was asked for; None where it cannot be asked."""
        argument = field.args.get("first")
        if argument is None:
            return None
        default = argument.default_value if isinstance(argument.default_value, int) else LIST_ITEMS
        value = next((each.value for each in node.arguments or () if each.name.value == "first"), None)
        if isinstance(value, VariableNode):
            named = self._defaults.get(value.name.value)
            return Given(value.name.value, False, max(0, named) if isinstance(named, int) else default)
        # A service refuses what is below nothing; here it would pay for what stands beside it.
        return max(0, int(value.value)) if isinstance(value, IntValueNode) else default

    def _sent_with(self, node: FieldNode, field: GraphQLField) -> Iterator[Size]:
        for argument in node.arguments or ():
            if not is_leaf_type(get_nullable_type(field.args[argument.name.value].type)):
                yield from self._sent(argument.value)

    def _sent(self, value: ValueNode) -> list[Size]:
        """The lengths of the lists in an argument."""
        if isinstance(value, VariableNode):
            default = self._defaults.get(value.name.value, Undefined)
            return [Given(value.name.value, True, _items(default))]
        if isinstance(value, ListValueNode):
            return [len(value.values)]
        if isinstance(value, ObjectValueNode):
            return [size for each in value.fields for size in self._sent(each.value)]
        return []


def _items(value: object) -> int:
    """How many items the lists hold that are sent in a value; what is in an item is a part of it."""
    count, left = 0, [value]
    while left:  # a value may be deeper than functions can call each other
        each = left.pop()
        if isinstance(each, list):
            count += len(each)
        elif isinstance(each, dict):
            left.extend(each.values())
    return count
