"""`aiops migrate bootstrap`: what a database's administrator does once, before the first migration."""

from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit, urlunsplit

import typer

from aiops_cli.failure import ExitCode, Failure
from aiops_cli.members import SERVICES, setting

if TYPE_CHECKING:
    from chassis.bootstrap import SchemaCredentials

ADMIN_URL = "AIOPS_ADMIN_DATABASE_URL"


def bootstrap(
    *,
    create_database: Annotated[
        bool, typer.Option("--create-database", help="Make the database that the URL names where it is missing.")
    ] = False,
) -> None:
    """Make two roles and a schema for every service, and what they need; run again, it changes nothing but passwords.

    Reads AIOPS_ADMIN_DATABASE_URL, and from <SERVICE>_OWNER_DATABASE_URL and <SERVICE>_DATABASE_URL the passwords that
    the roles get; each from the environment or from a file of AIOPS_SECRETS_FOLDER.
    """
    # psycopg takes longer to load than most commands run.
    import psycopg  # noqa: PLC0415

    from chassis.bootstrap import bootstrap as make_schemas  # noqa: PLC0415

    admin_url = admin_setting()
    credentials = credentials_from_urls()
    try:
        if create_database:
            make_database(admin_url)
        make_schemas(admin_url, credentials)
    except ValueError as error:
        raise Failure(f"{error}. The passwords come from the URLs of the roles.", ExitCode.USAGE) from error
    except psycopg.OperationalError as error:
        message = f"The database cannot be reached as its admin; check {ADMIN_URL}."
        raise Failure(message, ExitCode.UNREACHABLE) from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise Failure(f"The role of {ADMIN_URL} may not do that: {error}") from error
    typer.echo(f"roles and schemas: {', '.join(SERVICES)}")


def admin_setting() -> str:
    """The URL of the database's admin.

    Raises:
        Failure: it is not set.
    """
    return setting(ADMIN_URL, "It is the URL of the database's admin, who may make roles and schemas.")


def credentials_from_urls() -> "list[SchemaCredentials]":
    """The passwords of every service's two roles, out of the URLs that hold them.

    Raises:
        Failure: one is not set, or holds no password of its role.
    """
    from chassis.bootstrap import SchemaCredentials  # noqa: PLC0415

    return [
        SchemaCredentials(
            service,
            _password(f"{service.upper()}_OWNER_DATABASE_URL", f"{service}_owner"),
            _password(f"{service.upper()}_DATABASE_URL", f"{service}_app"),
        )
        for service in SERVICES
    ]


def _password(variable: str, role: str) -> str:
    url = urlsplit(setting(variable, f"It is the URL of the role {role}: its password becomes that role's."))
    if url.username != role or not url.password:
        raise Failure(f"{variable} must be a URL of the role {role} with its password in it.", ExitCode.USAGE)
    return url.password


def make_database(admin_url: str) -> None:
    """Make the database that the URL names where it is missing.

    Raises:
        Failure: the URL names none.
    """
    import psycopg  # noqa: PLC0415
    from psycopg import sql  # noqa: PLC0415

    url = urlsplit(admin_url)
    name = url.path.strip("/")
    if not name:
        raise Failure(f"{ADMIN_URL} names no database; it ends like this: @<host>:<port>/aiops", ExitCode.USAGE)
    with psycopg.connect(urlunsplit(url._replace(path="/postgres")), autocommit=True) as connection:
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", (name,)).fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
