"""What an administrator does once for a database: two roles and one schema per service, extensions, nothing for PUBLIC.

`<service>_owner` owns the schema and is used by the migrator alone; `<service>_app` has DML only. (A role that owns a
table can give itself back whatever was revoked from it.) Tables and their rights are the migrations' part.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import LiteralString

import psycopg
from psycopg import sql

EXTENSIONS: tuple[LiteralString, ...] = ("pg_trgm",)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_MIN_PASSWORD_CHARACTERS = 16
# Two bootstraps at once would both find a role missing.
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtext('aiops.bootstrap'), 0)"


@dataclass(frozen=True)
class SchemaCredentials:
    """One service's schema and the passwords of its two roles."""

    schema: str
    owner_password: str = field(repr=False)
    app_password: str = field(repr=False)


def bootstrap(admin_url: str, schemas: Sequence[SchemaCredentials]) -> None:
    """Make roles, schemas and extensions in the database of `admin_url`; run again, it changes nothing but passwords.

    Raises:
        ValueError: a schema's name or a password is not acceptable.
    """
    make_roles(admin_url, schemas)
    with psycopg.connect(plain(admin_url)) as connection:
        connection.execute(_ONE_AT_A_TIME)
        _close_to_public(connection)
        for credentials in schemas:
            _make_schema(connection, credentials.schema)


def make_roles(admin_url: str, schemas: Sequence[SchemaCredentials]) -> None:
    """Make the roles alone, or give them these passwords: what a backup needs to be restored.

    Raises:
        ValueError: a schema's name or a password is not acceptable.
    """
    for credentials in schemas:
        _check(credentials)
    with psycopg.connect(plain(admin_url)) as connection:
        connection.execute(_ONE_AT_A_TIME)
        superuser = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
        for credentials in schemas:
            owner = f"{credentials.schema}_owner"
            _make_role(connection, owner, credentials.owner_password)
            _make_role(connection, f"{credentials.schema}_app", credentials.app_password)
            if superuser is None or not superuser[0]:
                # Whoever is no superuser must belong to a role before it can be given a schema.
                connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(owner)))


def plain(url: str) -> str:
    """The URL as psycopg takes it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def _check(credentials: SchemaCredentials) -> None:
    if not _NAME.fullmatch(credentials.schema):
        raise ValueError(f"{credentials.schema!r} is no schema name: use lower-case letters, digits and _")
    for password in (credentials.owner_password, credentials.app_password):
        if len(password) < _MIN_PASSWORD_CHARACTERS:
            raise ValueError(f"a password of {credentials.schema} has fewer than {_MIN_PASSWORD_CHARACTERS} characters")


def _close_to_public(connection: psycopg.Connection) -> None:
    database = sql.Identifier(connection.info.dbname)
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    connection.execute("CREATE SCHEMA IF NOT EXISTS extensions")
    connection.execute("GRANT USAGE ON SCHEMA extensions TO PUBLIC")
    for extension in EXTENSIONS:
        connection.execute(
            sql.SQL("CREATE EXTENSION IF NOT EXISTS {} SCHEMA extensions").format(sql.Identifier(extension))
        )


def _make_role(connection: psycopg.Connection, name: str, password: str) -> None:
    role = sql.Identifier(name)
    if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (name,)).fetchone() is None:
        connection.execute(sql.SQL("CREATE ROLE {}").format(role))
    # The verifier is computed here, so that the password reaches neither the server's log nor its statistics.
    verifier = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    connection.execute(
        sql.SQL(
            "ALTER ROLE {} LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD {}"
        ).format(role, sql.Literal(verifier))
    )


def _make_schema(connection: psycopg.Connection, schema: str) -> None:
    owner, app = f"{schema}_owner", f"{schema}_app"
    names = {
        "schema": sql.Identifier(schema),
        "owner": sql.Identifier(owner),
        "app": sql.Identifier(app),
        "database": sql.Identifier(connection.info.dbname),
    }
    connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {owner}").format(**names))
    connection.execute(sql.SQL("REVOKE ALL ON SCHEMA {schema} FROM PUBLIC").format(**names))
    connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {schema} TO {app}").format(**names))
    connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {database} TO {owner}, {app}").format(**names))
    for role in (owner, app):
        connection.execute(
            sql.SQL("ALTER ROLE {} IN DATABASE {} SET search_path = {}, extensions").format(
                sql.Identifier(role), names["database"], names["schema"]
            )
        )
        connection.execute(
            sql.SQL("ALTER ROLE {} IN DATABASE {} SET timezone = 'UTC'").format(sql.Identifier(role), names["database"])
        )
