"""The first account of a local stack: made once, with a generated password, through the API like any other."""

import json
import secrets
from pathlib import Path

import httpx

from chassis.installation import write_secret
from state import State
from supervise import StackError

EMAIL = "admin@aiops.local"
SIGN_UP = """
mutation FirstAdmin($input: SignUpInput!) {
  signUp(input: $input) {
    __typename
    ... on UserError { code message }
  }
}
"""


def make_first_admin(state: State) -> tuple[str, str] | None:
    """Sign up the admin with auth's setup token; returns e-mail and password when it was made just now, else None.

    Raises:
        StackError: the sign-up was refused.
    """
    path = state.path("admin.json")
    if path.exists():
        return None
    setup_token = Path(state.path("setup-token"))
    if not setup_token.exists():
        return None  # somebody else is admin already
    password = secrets.token_urlsafe(18)
    write_secret(path, json.dumps({"email": EMAIL, "password": password}))
    answer = httpx.post(
        f"http://127.0.0.1:{state.ports.gateway}/graphql",
        json={
            "query": SIGN_UP,
            "variables": {
                "input": {
                    "email": EMAIL,
                    "password": password,
                    "displayName": "Admin",
                    "setupToken": setup_token.read_text().strip(),
                }
            },
        },
        timeout=20,
    ).json()
    result = (answer.get("data") or {}).get("signUp") or {}
    if result.get("__typename") != "SignUpSuccess":
        path.unlink()
        reason = result.get("message") or json.dumps(answer.get("errors"))
        raise StackError(f"The first account could not be made: {reason}")
    return EMAIL, password
