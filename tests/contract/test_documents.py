"""Every GraphQL document that the command sends and that the pages show, against the schema and its limits."""

import re
from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_schema, parse, specified_rules, validate

from aiops_cli import change_documents, documents, graph, operation_documents, ticket_documents
from gateway.limits import MAX_TOKENS, WithinLimits

ROOT = Path(__file__).resolve().parents[2]
SDL = ROOT / "gateway" / "src" / "gateway" / "schema.graphql"
PAGES = ("README.md", "docs/api.md")
BLOCK = re.compile(r"^```graphql\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CHANGES = (
    "updateTicket",
    "updateTicketStatus",
    "updateTicketAudience",
    "assignTicket",
    "addTicketComment",
    "linkTicketLogs",
    "unlinkTicketLogs",
    "retriageTicket",
)


def commands() -> list[object]:
    found = {
        f"{module.__name__.rpartition('.')[2]}.{name}": text
        for module in (graph, documents, ticket_documents, change_documents, operation_documents)
        for name, text in vars(module).items()
        if isinstance(text, str) and re.search(r"^(query|mutation) ", text, re.MULTILINE)
    }
    found |= {f"ticket_documents.change({name})": ticket_documents.change(name) for name in CHANGES}
    return [pytest.param(text, id=name) for name, text in found.items()]


def shown() -> list[object]:
    return [
        pytest.param(block, id=f"{page}-{number}")
        for page in PAGES
        for number, block in enumerate(BLOCK.findall((ROOT / page).read_text()), start=1)
    ]


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(SDL.read_text(), assume_valid=True)


@pytest.mark.parametrize("text", commands())
def test_what_the_command_sends_is_valid(schema: GraphQLSchema, text: str) -> None:
    assert validate(schema, parse(text, max_tokens=MAX_TOKENS), (*specified_rules, WithinLimits)) == []


@pytest.mark.parametrize("text", shown())
def test_what_a_page_shows_is_valid(schema: GraphQLSchema, text: str) -> None:
    assert validate(schema, parse(text, max_tokens=MAX_TOKENS), (*specified_rules, WithinLimits)) == []
