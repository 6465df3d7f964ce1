"""Write the documents of our own clients, by their hashes, into the gateway's manifests.

    python dev/generate_documents.py            # also part of `make docs`
    python dev/generate_documents.py --check    # says whether the committed manifests are current; changes nothing

The dashboard's stand in its sources as graphql(`...`), the command's in constants, those of people with curl in
docs/api.md. A client's fragments may lie in other files than its operations.
"""

import importlib
import json
import pkgutil
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    Node,
    OperationDefinitionNode,
    Visitor,
    parse,
    visit,
)

import aiops_cli
from aiops_cli import ticket_documents
from gateway.trusted import canonical, digest_of

ROOT = Path(__file__).resolve().parent.parent
MANIFESTS = ROOT / "gateway" / "src" / "gateway" / "manifests"
DASHBOARD = ROOT / "dashboard" / "src"
OPERATION = re.compile(r"^\s*(query|mutation|subscription)\b", re.MULTILINE)


def of_dashboard() -> Iterator[str]:
    """Each operation with the fragments that it needs."""
    files = [file for file in sorted(DASHBOARD.rglob("*.ts*")) if "gql" not in file.relative_to(DASHBOARD).parts]
    texts = [text for file in files for text in re.findall(r"graphql\(\s*`(.*?)`", file.read_text(), re.DOTALL)]
    nodes = [node for text in texts for node in parse(text).definitions]
    fragments = {node.name.value: node for node in nodes if isinstance(node, FragmentDefinitionNode)}
    for node in nodes:
        if isinstance(node, OperationDefinitionNode):
            yield canonical(DocumentNode(definitions=(node, *_needed(node, fragments).values())))


def of_command() -> Iterator[str]:
    """Each constant that is a document, and what one function makes for the mutations of tickets."""
    for module in pkgutil.iter_modules(aiops_cli.__path__):
        if module.name == "__main__":
            continue
        for value in vars(importlib.import_module(f"aiops_cli.{module.name}")).values():
            if isinstance(value, str) and OPERATION.search(value):
                yield canonical(parse(value))
    source = (Path(aiops_cli.__path__[0]) / "ticket_changes.py").read_text()
    for mutation in re.findall(r'\b_change\("(\w+)"', source):
        yield canonical(parse(ticket_documents.change(mutation)))


def of_documentation() -> Iterator[str]:
    """What the pages show."""
    for page in (ROOT / "README.md", ROOT / "docs" / "api.md"):
        for text in re.findall(r"```graphql\n(.*?)```", page.read_text(), re.DOTALL):
            yield canonical(parse(text))


def _needed(node: Node, fragments: dict[str, FragmentDefinitionNode]) -> dict[str, FragmentDefinitionNode]:
    found: dict[str, FragmentDefinitionNode] = {}

    class Spreads(Visitor):
        def enter_fragment_spread(self, spread: FragmentSpreadNode, *_: object) -> None:
            name = spread.name.value
            if name not in found:
                found[name] = fragments[name]
                visit(fragments[name], self)

    visit(node, Spreads())
    return found


def manifests() -> dict[Path, str]:
    """What each file has to hold."""
    sources = {"dashboard": of_dashboard, "command": of_command, "documentation": of_documentation}
    return {
        MANIFESTS / f"{name}.json": json.dumps({digest_of(text): text for text in texts()}, indent=1, sort_keys=True)
        + "\n"
        for name, texts in sources.items()
    }


def main() -> None:
    """Write them, or compare."""
    wanted = manifests()
    if "--check" in sys.argv[1:]:
        stale = [path.name for path, text in wanted.items() if not path.is_file() or path.read_text() != text]
        sys.exit(f"{', '.join(stale)}: not current; run `make docs` and commit" if stale else 0)
    MANIFESTS.mkdir(exist_ok=True)
    for path, text in wanted.items():
        path.write_text(text)
        print(f"wrote {path.name}")


if __name__ == "__main__":
    main()
