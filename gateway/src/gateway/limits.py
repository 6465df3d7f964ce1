"""What a document may be, whoever sends it: checked before anything is executed.

The rule classes exist once, so that a document that passed stays passed in the cache. What its answer may cost is
worked out in `cost`.
"""

from dataclasses import dataclass

from graphql import (
    ASTValidationRule,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)
from graphql.validation import ASTValidationContext

MAX_CHARACTERS = 100_000
"""What is long is long to read, even where it is a comment; pasted logs belong into variables."""
MAX_TOKENS = 1_000
MAX_DEPTH = 8
MAX_ALIASES = 15
MAX_DIRECTIVES = 9


@dataclass(frozen=True)
class Measure:
    """The size of a selection with its fragments written out."""

    depth: int = 0
    aliases: int = 0
    directives: int = 0

    def beside(self, other: "Measure") -> "Measure":
        """Both selections in one set."""
        return Measure(max(self.depth, other.depth), self.aliases + other.aliases, self.directives + other.directives)


def measure(document: DocumentNode) -> list[Measure]:
    """The size of each operation of a document."""
    measuring = _Measuring(document)
    return [
        measuring.selections(node.selection_set).beside(Measure(directives=len(node.directives or ())))
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode)
    ]


class _Measuring:
    """Measures each fragment once, so that fragments of fragments cost no more to measure than to read."""

    def __init__(self, document: DocumentNode) -> None:
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._known: dict[str, Measure] = {}

    def selections(self, node: SelectionSetNode) -> Measure:
        total = Measure()
        for selection in node.selections:
            total = total.beside(Measure(directives=len(selection.directives or ())))
            if isinstance(selection, FragmentSpreadNode):
                total = total.beside(self._fragment(selection.name.value))
            elif isinstance(selection, InlineFragmentNode):
                total = total.beside(self.selections(selection.selection_set))
            elif isinstance(selection, FieldNode):
                total = total.beside(self._field(selection))
        return total

    def _fragment(self, name: str) -> Measure:
        if name not in self._known:
            # One that contains itself counts as empty here; another rule refuses it.
            self._known[name] = Measure()
            node = self._fragments.get(name)
            if node is not None:
                own = Measure(directives=len(node.directives or ()))
                self._known[name] = self.selections(node.selection_set).beside(own)
        return self._known[name]

    def _field(self, node: FieldNode) -> Measure:
        aliases = 1 if node.alias else 0
        # What a client learns of the schema is deep by nature and touches no service.
        if node.selection_set is None or node.name.value.startswith("__"):
            return Measure(depth=1, aliases=aliases)
        inner = self.selections(node.selection_set)
        return Measure(1 + inner.depth, aliases + inner.aliases, inner.directives)


def refuse_longer(text: str) -> None:
    """Turn away a text that is too long to be read.

    Raises:
        GraphQLError: it is.
    """
    if len(text) > MAX_CHARACTERS:
        message = (
            f"the document has {len(text):,} characters, {MAX_CHARACTERS:,} are allowed; send long values as variables"
        )
        raise GraphQLError(message, extensions={"code": "DOCUMENT_TOO_LARGE"})


class WithinLimits(ASTValidationRule):
    """Refuses documents that are too deep, rename too much or carry too many directives."""

    def __init__(self, context: ASTValidationContext) -> None:
        super().__init__(context)
        for size in measure(context.document):
            for what, found, limit in (
                ("levels of fields", size.depth, MAX_DEPTH),
                ("aliases", size.aliases, MAX_ALIASES),
                ("directives", size.directives, MAX_DIRECTIVES),
            ):
                if found > limit:
                    message = f"the document has {found} {what}, {limit} are allowed; split it"
                    self.report_error(GraphQLError(message, extensions={"code": "DOCUMENT_TOO_LARGE"}))


class NoIntrospection(ASTValidationRule):
    """Refuses to describe the schema: in production it is published as a file."""

    def enter_field(self, node: FieldNode, *_args: object) -> None:
        """Refuse `__schema` and `__type`."""
        if node.name.value in {"__schema", "__type"}:
            message = "introspection is off here; the schema is published as schema.graphql"
            self.report_error(GraphQLError(message, [node], extensions={"code": "INTROSPECTION_OFF"}))
