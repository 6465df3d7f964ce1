"""Who writes: the admin, people of ops, and machines with API tokens, made through the API like any other."""

from typing import Any
from uuid import uuid4

from tests.fault.caller import Caller, http_client
from tests.fault.history import History
from tests.fault.installation import Installation
from tests.fault.load import OF_ADMIN, OF_MACHINE, OF_OPS, Load, Worker

SCOPES = ["logs:write", "changes:write", "tickets:write"]


async def crew(installation: Installation, load: Load, *, people: int = 3, machines: int = 2) -> list[Worker]:
    """The admin, some people of ops and some machines, ready to work."""
    email, password = installation.admin
    admin = Caller("admin", load.http, load.history, email, password)
    workers = [Worker(admin, load, OF_ADMIN)]
    workers += [Worker(await person(admin, f"ops-{number}"), load, OF_OPS) for number in range(people)]
    workers += [Worker(await machine(admin, f"machine-{number}"), load, OF_MACHINE) for number in range(machines)]
    return workers


def load_on(installation: Installation) -> Load:
    """An empty load on the gateway; close its `http` at the end."""
    return Load(http_client(installation.url), History())


async def person(admin: Caller, name: str) -> Caller:
    """Somebody of ops, who can log in."""
    email, password = f"{name}-{uuid4().hex[:8]}@example.com", "a long enough password"
    invited = await made(admin, "inviteUser", "invitationToken", email=email, role="OPS")
    stranger = Caller(name, admin.http, admin.history)
    await made(
        stranger,
        "signUp",
        "user { id }",
        email=email,
        password=password,
        displayName=name,
        invitationToken=invited["invitationToken"],
    )
    return Caller(name, admin.http, admin.history, email, password)


async def machine(admin: Caller, name: str) -> Caller:
    """A service account with every scope."""
    token = await made(admin, "createApiToken", "token", serviceAccountName=name, scopes=SCOPES)
    return Caller(name, admin.http, admin.history, token=token["token"])


async def made(caller: Caller, action: str, wanted: str, **values: Any) -> dict[str, Any]:
    """The success of a write that is no part of the history."""
    op = History().begin(client=caller.name, action=action, kind="", marker="")
    member = await caller.write(op, wanted, **values)
    assert member is not None, f"{action}: {op.code}"
    return member
