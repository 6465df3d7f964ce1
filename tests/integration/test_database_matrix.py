"""Every role of the database against every schema, table, sequence and function there is, by the words of its catalog.

What stands here is generated from the catalog: a table of tomorrow is held to it without being named. That Postgres
does as its catalog says is tried in test_database_roles.py, and here for what may never be changed.
"""

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql

from chassis.testing.plugin import MigratedSchemas, ServiceDatabase

ROOT = Path(__file__).resolve().parents[2]
SERVICES = sorted(path.name for path in (ROOT / "services").iterdir() if (path / "pyproject.toml").exists())
ROLES = [f"{service}_{kind}" for service, kind in product(SERVICES, ("app", "owner"))]
ROWS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
EVERYTHING = ROWS | {"TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN"}
WRITTEN_ONCE = ("_changes", "_snapshots", "_anchors", "audit_events", "audit_trail")
"""Ends of the names of what is evidence: it is added to, and read."""

TABLES: LiteralString = """
SELECT r, n.nspname, c.relname, array(SELECT p FROM unnest(%(privileges)s::text[]) p
                                      WHERE has_table_privilege(r, c.oid, p))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN unnest(%(roles)s::text[]) r
WHERE n.nspname = ANY (%(schemas)s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
"""
SEQUENCES: LiteralString = """
SELECT r, n.nspname, c.relname, array(SELECT p FROM unnest('{USAGE,SELECT,UPDATE}'::text[]) p
                                      WHERE has_sequence_privilege(r, c.oid, p))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN unnest(%(roles)s::text[]) r
WHERE n.nspname = ANY (%(schemas)s) AND c.relkind = 'S'
"""
FUNCTIONS: LiteralString = """
SELECT r, n.nspname, p.proname, p.prosecdef, coalesce(array_to_string(p.proconfig, ','), ''),
       has_schema_privilege(r, n.oid, 'USAGE') AND has_function_privilege(r, p.oid, 'EXECUTE')
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace CROSS JOIN unnest(%(roles)s::text[]) r
WHERE n.nspname = ANY (%(schemas)s)
"""


@pytest.fixture
def admin_url(make_database: Callable[[str, str], ServiceDatabase], migrated_schemas: MigratedSchemas) -> str:
    """The superuser's address of a database with every schema."""
    for service in SERVICES:
        make_database(service, f"{service}_service")
    return migrated_schemas.admin_url


def asked(admin_url: str, query: LiteralString) -> list[tuple[str, ...]]:
    with psycopg.connect(admin_url) as admin:
        given = {"privileges": sorted(EVERYTHING), "roles": ROLES, "schemas": SERVICES}
        return admin.execute(query, given).fetchall()


def at_home(table: str) -> tuple[frozenset[str], frozenset[str]]:
    """What a running service has on a table of its own: at least, and at most."""
    if table == "migration_versions":
        return frozenset({"SELECT"}), frozenset({"SELECT"})
    if table.endswith(WRITTEN_ONCE):
        return frozenset({"SELECT", "INSERT"}), frozenset({"SELECT", "INSERT"})
    return frozenset({"SELECT", "INSERT"}), ROWS


def test_a_role_has_rows_of_its_own_schema_and_nothing_else(admin_url: str) -> None:
    found = asked(admin_url, TABLES)

    wrong = []
    for role, schema, table, has in found:
        service, _, kind = role.rpartition("_")
        least, most = (EVERYTHING, EVERYTHING) if kind == "owner" else at_home(table)
        if service != schema:
            least = most = frozenset()
        if not least <= frozenset(has) <= most:
            wrong.append((role, f"{schema}.{table}", sorted(has)))
    assert wrong == []
    assert {schema for _, schema, _, _ in found} == set(SERVICES)
    assert len(found) > 800


def test_a_sequence_counts_for_its_own_schema(admin_url: str) -> None:
    found = asked(admin_url, SEQUENCES)

    assert [each for each in found if not each[0].startswith(f"{each[1]}_") and each[3]] == []
    assert {schema for _, schema, _, _ in found} == set(SERVICES)


def test_a_function_that_lends_rights_lends_them_to_its_own_service(admin_url: str) -> None:
    found = asked(admin_url, FUNCTIONS)

    lent = [each for each in found if each[5] and not each[0].startswith(f"{each[1]}_")]
    lending = [each for each in found if each[3]]
    unpinned = {f"{schema}.{name}" for _, schema, name, _, config, _ in lending if "search_path=" not in config}
    assert lent == []
    assert unpinned == set()
    assert lending != []


def test_a_schema_is_used_by_its_own_roles_and_made_in_by_its_owner(admin_url: str) -> None:
    with psycopg.connect(admin_url) as admin:
        found = set(
            admin.execute(
                "SELECT r, s, p FROM unnest(%s::text[]) r, unnest(%s::text[]) s, unnest('{USAGE,CREATE}'::text[]) p"
                " WHERE has_schema_privilege(r, s, p)",
                (ROLES, [*SERVICES, "public"]),
            )
        )

    own = {(f"{service}_{kind}", service, "USAGE") for service, kind in product(SERVICES, ("app", "owner"))}
    assert found - {(role, "public", "USAGE") for role in ROLES} == own | {
        (f"{service}_owner", service, "CREATE") for service in SERVICES
    }


def test_a_role_is_nobody_else_and_nobody_special(admin_url: str) -> None:
    with psycopg.connect(admin_url) as admin:
        special = admin.execute(
            "SELECT rolname FROM pg_roles WHERE rolname = ANY (%s)"
            " AND (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls OR NOT rolcanlogin)",
            (ROLES,),
        ).fetchall()
        members = admin.execute(
            "SELECT member::regrole, roleid::regrole FROM pg_auth_members WHERE member::regrole::text = ANY (%s)",
            (ROLES,),
        ).fetchall()
        makers = admin.execute(
            "SELECT r FROM unnest(%s::text[]) r WHERE has_database_privilege(r, current_database(), 'CREATE')", (ROLES,)
        ).fetchall()

    assert (special, members, makers) == ([], [], [])


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_evidence_is_not_changed(
    make_database: Callable[[str, str], ServiceDatabase], admin_url: str, service: str
) -> None:
    store = make_database(service, f"{service}_service")
    names = sorted({table for _, schema, table, _ in asked(admin_url, TABLES) if schema == service})
    evidence = [name for name in names if name.endswith(WRITTEN_ONCE)]
    assert {"audit_trail", "history_anchors"} <= set(evidence)

    with psycopg.connect(store.app_url, autocommit=True) as session:
        for name in evidence:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(service, name)))
