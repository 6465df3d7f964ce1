"""`aiops login`, `logout` and `whoami`."""

import json
import os
import sys
from typing import Annotated

import typer

from aiops_cli import graph, session
from aiops_cli.failure import ExitCode, Failure

ME = "query WhoAmI { me { email displayName role } }"


def login(
    url: Annotated[str, typer.Option(help="Address of the gateway.", envvar="AIOPS_URL")] = session.DEFAULT_URL,
    email: Annotated[str, typer.Option(help="E-mail address; asked for when missing.")] = "",
    *,
    password_stdin: Annotated[bool, typer.Option(help="Read the password from standard input, for scripts.")] = False,
) -> None:
    """Log in, and keep the session for the commands that follow."""
    if not password_stdin and not sys.stdin.isatty():
        raise Failure(
            "Standard input is no terminal. For scripts: aiops login --email E --password-stdin", ExitCode.USAGE
        )
    address = email or typer.prompt("E-mail")
    password = sys.stdin.readline().rstrip("\n") if password_stdin else typer.prompt("Password", hide_input=True)
    _, user = graph.log_in(url.rstrip("/"), address, password)
    role = user["role"] or "no role yet: ask an admin for one"
    first = "aiops logs push FILE" if user["role"] in {"ADMIN", "OPS"} else "aiops tickets list"
    typer.echo(f"Logged in to {url} as {user['email']} ({role}). Next: {first}")


def logout() -> None:
    """End the session, here and on the server."""
    graph.log_out(session.current())
    typer.echo("Logged out.")


def whoami(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Print who the commands act as, and where."""
    current = session.current()
    me = graph.Graph(current).query(ME)["me"]
    if me is None:
        raise Failure(
            "An API token acts as a machine, which has no account." if os.environ.get("AIOPS_TOKEN") else "Nobody."
        )
    if as_json:
        typer.echo(json.dumps({**me, "url": current.url}))
    else:
        typer.echo(f"{me['email']} ({me['role'] or 'no role yet'}) at {current.url}")
