"""`aiops signup`, `login`, `logout` and `whoami`."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from aiops_cli import graph, session
from aiops_cli.failure import ExitCode, Failure

ME = "query WhoAmI { me { email displayName role } }"
SIGN_UP = """
mutation SignUp($input: SignUpInput!) {
  signUp(input: $input) {
    __typename
    ... on SignUpSuccess { user { email role } }
    ... on UserError { code message }
    ... on ValidationError { fields { path message } }
  }
}
"""
Url = Annotated[str, typer.Option(help="Address of the gateway.", envvar="AIOPS_URL")]
Email = Annotated[str, typer.Option(help="E-mail address; asked for when missing.")]
PasswordStdin = Annotated[bool, typer.Option(help="Read the password from standard input, for scripts.")]


def signup(
    url: Url = session.DEFAULT_URL,
    email: Email = "",
    name: Annotated[str, typer.Option(help="Name shown to others; the part before the @ when missing.")] = "",
    setup_token_file: Annotated[
        str, typer.Option(help="File with the setup token: the first account, which is admin, needs it.")
    ] = "",
    invitation_file: Annotated[str, typer.Option(help="File with the token of an admin's invitation.")] = "",
    *,
    password_stdin: PasswordStdin = False,
) -> None:
    """Make an account: the first one with the setup token, later ones by invitation.

    Tokens are read from files, as other users of the machine can see a command's arguments.
    """
    tokens = {
        field: _token(file)
        for field, file in (("setupToken", setup_token_file), ("invitationToken", invitation_file))
        if file
    }
    address, password = _credentials("signup", email, password_stdin=password_stdin, confirm=True)
    values = {"email": address, "password": password, **({"displayName": name} if name else {}), **tokens}
    where = url.rstrip("/")
    user = graph.Graph(session.Session(url=where)).mutate(SIGN_UP, values)["user"]
    role = user["role"] or "no role yet: ask an admin for one"
    typer.echo(f"Signed up at {where} as {user['email']} ({role}). Next: aiops login --email {user['email']}")


def _token(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"The token in {file} cannot be read: {error}", ExitCode.USAGE) from error


def _credentials(command: str, email: str, *, password_stdin: bool, confirm: bool = False) -> tuple[str, str]:
    """E-mail and password, asked for at a terminal.

    Raises:
        Failure: there is no terminal, and the password was not announced on standard input.
    """
    if not password_stdin and not sys.stdin.isatty():
        raise Failure(
            f"Standard input is no terminal. For scripts: aiops {command} --email E --password-stdin", ExitCode.USAGE
        )
    address = email or typer.prompt("E-mail")
    if password_stdin:
        return address, sys.stdin.readline().rstrip("\n")
    return address, typer.prompt("Password", hide_input=True, confirmation_prompt=confirm)


def login(url: Url = session.DEFAULT_URL, email: Email = "", *, password_stdin: PasswordStdin = False) -> None:
    """Log in, and keep the session for the commands that follow."""
    address, password = _credentials("login", email, password_stdin=password_stdin)
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
