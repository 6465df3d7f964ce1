"""Five services, one shape: whoever knows one knows all."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVICES = sorted(path.name for path in (ROOT / "services").iterdir() if (path / "pyproject.toml").exists())
FILES = {
    "__init__.py", "__main__.py", "app.py", "consumers.py", "convert.py", "domain.py", "errors.py", "policy.py",
    "py.typed", "queries.py", "rpc.py", "settings.py", "store.py", "tables.py", "usecases.py",
}  # fmt: skip
# What one service alone is about: name -> why it is a place of its own.
OWN = {
    "auth": {
        "audited.py": "which of its answers are noted in the audit",
        "documents.py": "what history keeps of a user, and who sees it",
        "erasure.py": "takes a person out of his account",
        "credentials": "passwords, tokens and signing keys: what no other service may hold",
        "oidc": "sign-in through the organisation's OpenID provider",
    },
    "logs": {
        "audited.py": "which of its answers are noted in the audit",
        "commands.py": "the wishes that rpc hands on, apart from the domain for its size",
        "convert_evidence.py": "evidence to ai and back, apart from what clients see",
        "documents.py": "what history keeps of a log, and who sees it",
        "facts.py": "what happens to a log, apart from the domain for its size",
        "histogram.py": "records over time: one statement of its own size",
        "statistics.py": "the numbers of patterns: one set of SQL for pages and evidence",
        "evidence": "the digest and the check of cited sentences; pure, the CLI runs it",
        "ingest": "one path from bytes to COPY for paste, upload and stream",
        "patterns": "reader, header detection and miner; pure, the CLI runs it",
    },
    "changelog": {
        "changes.py": "the changes before moments: one statement of its own size",
        "commands.py": "the wishes that rpc hands on, apart from the domain for its size",
        "commits": "from commits to notes; pure, the CLI runs it",
        "convert_highlights.py": "entries to ai and back, apart from what clients see",
        "convert_requests.py": "requests to wishes, apart from what clients see for its size",
        "documents.py": "what history keeps of a changelog, and who sees it",
        "highlights.py": "the check of a model's sentences against the entries; pure",
        "history.py": "the order of a range and whether it is whole; pure",
        "limits.py": "what an input may be; pure",
        "ranges.py": "the two ends of a range and the walk between them, apart from the store for its size",
    },
    "tickets": {
        "audited.py": "which of its answers are noted in the audit",
        "columns.py": "the two columns of a text and of a priority, as long as there are two (ADR 0038)",
        "commands.py": "the wishes that rpc hands on, apart from the domain for its size",
        "convert_requests.py": "requests to wishes, apart from what leaves the service",
        "convert_triage.py": "triage to ai and back, apart from what clients see",
        "decisions.py": "the check of what an engine answered; pure",
        "documents.py": "what history keeps of a ticket, and who sees which part",
        "erasure.py": "takes a person out of tickets",
        "facts.py": "what happens to a ticket, apart from the domain for its size",
        "references.py": "what auth and logs say of foreign ids, asked before anything is stored",
        "screening.py": "whether a ticket reads like a matter for hr, asked before anybody sees it; pure",
        "similar.py": "the SQL of similar tickets: words, their numbers and candidates",
        "similarity.py": "words of tickets and the cosine between them; pure",
        "texts.py": "what people wrote, whole and sealed beside the redacted text",
        "triage.py": "what triage writes and what people make of it, apart from the use cases for its size",
        "triage_rows.py": "what triage decided as stored JSON, apart from the store for its size; pure",
        "values.py": "the small things that a ticket is made of, apart from the domain for its size",
    },
    "ai": {
        "engines": "the built-in and the OpenAI-compatible engine behind one interface",
    },
}
HARD_LIMIT_LINES = 400


def package(service: str) -> Path:
    return ROOT / "services" / service / "src" / f"{service}_service"


def python_files() -> list[Path]:
    tops = ["chassis", "services", "gateway", "cli", "tests", "dev"]
    return [path for top in tops for path in (ROOT / top).rglob("*.py") if "node_modules" not in path.parts]


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_the_same_files(service: str) -> None:
    names = {path.name for path in package(service).iterdir() if path.name != "__pycache__"}

    own = set(OWN.get(service, {}))

    assert names - own - {"migrations"} == FILES
    assert own <= names, "OWN names a sub-package that is gone"
    assert list((package(service) / "migrations").glob("[0-9][0-9][0-9][0-9]_*.expand.sql"))
    assert (ROOT / "services" / service / "README.md").exists()


@pytest.mark.parametrize("service", SERVICES)
def test_the_program_of_a_service_is_three_statements(service: str) -> None:
    tree = ast.parse((package(service) / "__main__.py").read_text())

    statements = [node for node in tree.body if not isinstance(node, ast.Expr)]

    assert len(statements) == 3, "two imports and main(build)"


@pytest.mark.parametrize("service", SERVICES)
def test_rpc_methods_are_short_and_try_nothing(service: str) -> None:
    tree = ast.parse((package(service) / "rpc.py").read_text())

    methods = [
        method
        for servicer in tree.body
        if isinstance(servicer, ast.ClassDef)
        for method in servicer.body
        if isinstance(method, ast.AsyncFunctionDef) and method.name[0].isupper()
    ]

    assert methods
    for method in methods:
        body = [
            node for node in method.body if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        ]
        assert len(body) <= 5, f"{service}: {method.name} has {len(body)} statements"
    assert not any(isinstance(node, ast.Try) for node in ast.walk(tree))


@pytest.mark.parametrize("path", python_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_is_longer_than_the_limit(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= HARD_LIMIT_LINES


def test_no_file_has_a_name_that_says_nothing() -> None:
    vague = {"utils.py", "helpers.py", "common.py", "manager.py", "impl.py", "misc.py"}

    found = [str(path.relative_to(ROOT)) for path in python_files() if path.name in vague]

    assert found == []


def test_only_the_chassis_commits() -> None:
    found = [
        str(path.relative_to(ROOT))
        for path in python_files()
        if re.search(r"\.commit\(\)", path.read_text())
        and not path.is_relative_to(ROOT / "chassis")
        and "tests" not in path.parts
    ]

    assert found == []
