"""No write of the command goes without an idempotency key, whichever command it is of."""

import ast
import json
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from cli.tests.conftest import Gateway, answer
from graphql import FieldNode, OperationDefinitionNode, OperationType, VariableNode, build_schema, parse, print_ast
from graphql.type import GraphQLInputObjectType

import aiops_cli
import gateway as gateway_package
from aiops_cli import ticket_documents
from aiops_cli.graph import Graph
from aiops_cli.session import Session

SCHEMA = build_schema((Path(gateway_package.__file__).parent / "schema.graphql").read_text(), assume_valid=True)
SOURCES = sorted(Path(aiops_cli.__file__).parent.glob("*.py"))
TICKET_CHANGES = (
    "addTicketComment",
    "assignTicket",
    "updateTicketStatus",
    "updateTicket",
    "updateTicketAudience",
    "linkTicketLogs",
    "unlinkTicketLogs",
    "retriageTicket",
)


def mutations() -> dict[str, str]:
    """Every document of the command that writes, by where it is."""
    found = {f"change({name})": ticket_documents.change(name) for name in TICKET_CHANGES}
    for module in iter_modules(aiops_cli.__path__):
        for name, value in vars(import_module(f"aiops_cli.{module.name}")).items():
            if isinstance(value, str) and "mutation " in value and "{" in value:
                found[f"{module.name}.{name}"] = value
    return found


def test_every_mutation_takes_its_whole_input_with_a_key_from_one_variable() -> None:
    documents = mutations()

    for where, text in documents.items():
        operations = [node for node in parse(text).definitions if isinstance(node, OperationDefinitionNode)]
        (operation,) = [node for node in operations if node.operation is OperationType.MUTATION]
        (variable,) = operation.variable_definitions or ()
        (field,) = operation.selection_set.selections
        assert isinstance(field, FieldNode), where
        (argument,) = field.arguments or ()
        assert isinstance(argument.value, VariableNode), where
        assert (argument.name.value, argument.value.name.value) == ("input", variable.variable.name.value), where
        taken = SCHEMA.type_map[print_ast(variable.type).rstrip("!")]
        assert isinstance(taken, GraphQLInputObjectType), where
        assert "idempotencyKey" in taken.fields, where
    told = {name for source in SOURCES for name in _words_after_mutation(source.read_text())}
    assert len(documents) >= len(told)


def _words_after_mutation(text: str) -> set[str]:
    strings = [node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)]
    return {
        line.split("mutation ", 1)[1].split("(")[0]
        for string in strings
        if isinstance(string, str)
        for line in string.splitlines()
        if line.startswith("mutation ") and "(" in line
    }


def test_what_writes_goes_through_the_one_call_that_adds_the_key() -> None:
    callers: dict[str, set[str]] = {}
    names = {where.split(".")[1] for where in mutations() if "." in where} | {"change"}
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            first = node.args[0] if node.args else None
            wanted = first.func if isinstance(first, ast.Call) else first
            name = getattr(wanted, "attr", None) or getattr(wanted, "id", None)
            if name in names:
                callers.setdefault(name, set()).add(node.func.attr)
            if isinstance(first, ast.Constant) and first.value in {"/graphql", "/v1/logs/upload"}:
                assert source.name == "graph.py", source

    assert set(callers) >= {"CREATE", "GENERATE", "PUBLISH", "RECORD", "SUMMARIZE", "RESUMMARIZE", "change"}
    assert {name: called for name, called in callers.items() if called - {"mutate", "_mutation", "partial"}} == {}


def test_each_write_has_a_key_of_its_own_and_keeps_one_that_is_given(gateway: Gateway) -> None:
    graph = Graph(Session(url=gateway.url))
    done = answer(createTicket={"__typename": "CreateTicketSuccess", "ticket": {"id": "1"}})
    gateway.answers += [done, done, done]

    graph.mutate(ticket_documents.CREATE, {"title": "a"})
    graph.mutate(ticket_documents.CREATE, {"title": "a"})
    graph.mutate(ticket_documents.CREATE, {"title": "a"}, idempotency_key="given-key-0123456789")

    first, second, third = [json.loads(body)["variables"]["input"]["idempotencyKey"] for _, _, body in gateway.asked]
    assert len({first, second}) == 2
    assert all(len(key) >= 16 for key in (first, second))
    assert third == "given-key-0123456789"
