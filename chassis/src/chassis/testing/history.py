"""What holds of every declared history: a test of each service, or one over all of them, calls these."""

from collections.abc import Iterable, Iterator
from typing import Any

from chassis.history.document import Document, History
from chassis.redaction.keys import kind_of_key
from chassis.redaction.matching import Kind

_SECRETS = frozenset({Kind.PASSWORD, Kind.TOKEN})
_HASHES = ("$2a$", "$2b$", "$2y$", "$argon2", "eyJ")
"""How hashes of passwords, and signed tokens, begin."""


def credentials_in(history: History, documents: Iterable[Document]) -> list[str]:
    """The names of fields that hold a password, a token, a key or a hash of one, or are named as if; none is right."""
    names = set(history.visible)
    found = set()
    for document in documents:
        for name, value in _leaves("", document.fields):
            names.add(name)
            if isinstance(value, str) and value.startswith(_HASHES):
                found.add(name)
    return sorted(
        found | {name for name in names if kind_of_key(name.rpartition(".")[2]) in _SECRETS or "hash" in name}
    )


def unlisted_fields(history: History, documents: Iterable[Document]) -> list[str]:
    """The fields of which `visible` does not say who sees them, and those it names in vain; none is right."""
    fields = {name for document in documents for name in document.fields}
    return sorted(fields ^ history.visible.keys())


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(f"{path}.{name}" if path else name, inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _leaves(path, inner)
    else:
        yield path, value


def template(kind: str, role: str) -> list[str]:
    """The statements that make the tables of a kind (ADR 0036), each with one space between words."""
    tables = f"{kind}_changes", f"{kind}_snapshots"
    return [
        _one_line(statement)
        for statement in (
            f"""CREATE TABLE {kind}_changes (id uuid NOT NULL, version bigint NOT NULL, schema_version integer NOT NULL,
            event text NOT NULL, reason text NOT NULL, actor_kind text NOT NULL, actor_id text NOT NULL,
            changed_at timestamptz NOT NULL, trace_id text NOT NULL, patch jsonb NOT NULL, inverse jsonb NOT NULL,
            previous_hash bytea NOT NULL, hash bytea NOT NULL,
            CONSTRAINT pk_{kind}_changes PRIMARY KEY (id, version),
            CONSTRAINT ck_{kind}_changes_version CHECK (version >= 1))""",
            f"CREATE INDEX ix_{kind}_changes_changed_at ON {kind}_changes USING brin (changed_at)",
            f"""CREATE TABLE {kind}_snapshots (id uuid NOT NULL, version bigint NOT NULL,
            schema_version integer NOT NULL, state jsonb NOT NULL, hash bytea NOT NULL,
            CONSTRAINT pk_{kind}_snapshots PRIMARY KEY (id, version))""",
            f"REVOKE UPDATE, DELETE, TRUNCATE ON {', '.join(tables)} FROM {role}",
            *(
                f"""CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
                FOR EACH STATEMENT EXECUTE FUNCTION refuse_history_change()"""
                for table in tables
            ),
        )
    ]


def statements_of(sql: str) -> list[str]:
    """The statements of a file, each with one space between words."""
    code = "\n".join(line for line in sql.splitlines() if not line.lstrip().startswith("--"))
    return [_one_line(statement) for statement in code.split(";") if statement.strip()]


def _one_line(statement: str) -> str:
    return " ".join(statement.split()).replace("( ", "(").replace(" )", ")")
