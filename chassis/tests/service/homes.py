"""A schema of its own for each test of the migrator, with a package whose files the test writes."""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from chassis.bootstrap import SchemaCredentials, bootstrap
from chassis.embedded.postgres import PostgresServer
from chassis.migration_backfill import backfill
from chassis.migration_contract import contract
from chassis.migration_files import Applied
from chassis.migrations import migrate

DATABASE = "aiops_migrations"
CATALOG = """
SELECT 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull::text, a.attnum::text
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
 WHERE c.relnamespace = %(schema)s::regnamespace AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind = 'r'
UNION ALL SELECT 'default', c.relname, d.adnum::text, pg_get_expr(d.adbin, d.adrelid), '', ''
  FROM pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid WHERE c.relnamespace = %(schema)s::regnamespace
UNION ALL SELECT 'constraint', conname, conrelid::regclass::text, pg_get_constraintdef(oid), convalidated::text, ''
  FROM pg_constraint WHERE connamespace = %(schema)s::regnamespace
UNION ALL SELECT 'index', c.relname, '', pg_get_indexdef(c.oid), i.indisvalid::text, i.indisready::text
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = %(schema)s::regnamespace
UNION ALL SELECT 'trigger', t.tgname, '', pg_get_triggerdef(t.oid), t.tgenabled::text, ''
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
 WHERE c.relnamespace = %(schema)s::regnamespace AND NOT t.tgisinternal
UNION ALL SELECT 'function', p.proname, '', pg_get_functiondef(p.oid), p.proacl::text, ''
  FROM pg_proc p WHERE p.pronamespace = %(schema)s::regnamespace
UNION ALL SELECT 'rights', c.relname, c.relkind::text, c.relacl::text, c.relowner::regrole::text, ''
  FROM pg_class c WHERE c.relnamespace = %(schema)s::regnamespace
UNION ALL SELECT 'ledger', version, phase, checksum, state, cursor || ' ' || rows_done FROM migration_versions
ORDER BY 1, 2, 3, 4
"""


@dataclass
class Home:
    """A fresh schema and a package whose migrations a test writes."""

    admin_url: str
    owner_url: str
    app_url: str
    schema: str
    package: str
    folder: Path

    @classmethod
    def make(cls, postgres_server: PostgresServer, folder: Path) -> "Home":
        """A new one, with its package in this folder."""
        name = f"m{secrets.token_hex(4)}"
        package = folder / f"package_{name}"
        (package / "migrations").mkdir(parents=True)
        (package / "__init__.py").touch()
        admin_url = postgres_server.create_database(DATABASE)
        home = cls(admin_url, "", "", name, package.name, package / "migrations")
        home.use_schema(postgres_server, name)
        return home

    def use_schema(self, postgres_server: PostgresServer, schema: str) -> None:
        """Go on with this schema, made where it is missing."""
        credentials = SchemaCredentials(schema, secrets.token_urlsafe(24), secrets.token_urlsafe(24))
        bootstrap(self.admin_url, [credentials])
        self.schema = schema
        self.owner_url = postgres_server.url(f"{schema}_owner", credentials.owner_password, DATABASE)
        self.app_url = postgres_server.url(f"{schema}_app", credentials.app_password, DATABASE)

    def write(self, name: str, content: str) -> None:
        """Put a file among the migrations."""
        (self.folder / name).write_text(content)

    def migrate(self) -> list[tuple[str, str]]:
        """Expand; what was applied of the package's own."""
        return _own(migrate(self.owner_url, self.schema, self.package))

    def backfill(self, **options: Any) -> list[tuple[str, str]]:
        """Backfill; what was done of the package's own."""
        return _own(backfill(self.owner_url, self.schema, self.package, **options))

    def contract(self) -> list[tuple[str, str]]:
        """Contract; what was applied of the package's own."""
        return _own(contract(self.owner_url, self.schema, self.package))

    def through_all_phases(self) -> None:
        """Expand, backfill, contract."""
        self.migrate()
        self.backfill()
        self.contract()

    def ask(self, query: str, values: Any = None) -> list[tuple[Any, ...]]:
        """What the owner reads or does."""
        with psycopg.connect(self.owner_url) as connection:
            answer = connection.execute(query.encode(), values)
            return answer.fetchall() if answer.description else []

    def catalog(self) -> list[tuple[Any, ...]]:
        """All that the schema consists of, without its name and without times."""
        rows = self.ask(CATALOG, {"schema": self.schema})
        return [tuple(str(part).replace(self.schema, "<schema>") for part in row) for row in rows]


def _own(applied: list[Applied]) -> list[tuple[str, str]]:
    return [(each.version, each.phase) for each in applied if not each.version.startswith("chassis/")]
