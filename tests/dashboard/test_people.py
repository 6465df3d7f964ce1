"""People in the browser: invitations that are taken up, roles, closed accounts, and tokens shown once."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect
from tests.dashboard.browser import Account, Person
from tests.e2e.client import Client, database_of
from tests.e2e.conftest import RunningStack

SignIn = Callable[..., Person]
Visit = Callable[..., tuple[BrowserContext, Page]]
MakeAccount = Callable[[str | None], Account]
USERS = "{ users(first: 100) { nodes { id version email displayName role status } } }"
TOKENS = "{ apiTokens(first: 100) { nodes { id version serviceAccountName scopes expiresAt revokedAt } } }"


def user_of(admin: Client, email: str) -> dict[str, Any]:
    found: dict[str, Any] = next(user for user in admin.data(USERS)["users"]["nodes"] if user["email"] == email)
    return found


def row_of(page: Page, email: str) -> Locator:
    return page.get_by_role("list", name="Accounts").get_by_role("listitem").filter(has_text=email)


def test_an_invitation_is_shown_once_and_taken_up_by_its_link(sign_in: SignIn, visit: Visit, admin: Client) -> None:
    person = sign_in("admin")
    page = person.open("/people")
    assert person.operations == ["Users"]
    email = f"new-{uuid4().hex[:8]}@example.com"

    page.keyboard.press("n")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Role", exact=True).select_option("HR")
    page.get_by_role("button", name="Make the link").click()
    link = page.get_by_role("region", name="Invitation link").inner_text()
    page.get_by_role("button", name="Copy", exact=True).click()
    assert page.evaluate("() => navigator.clipboard.readText()") == link
    page.get_by_role("button", name="I have kept it").click()
    expect(row_of(page, email)).to_contain_text("invited")
    assert link not in page.content()

    _, guest = visit()
    guest.goto(link)
    expect(guest.get_by_label("E-mail")).to_have_value(email)
    guest.get_by_label("Name").fill("New Person")
    guest.get_by_label("Password", exact=True).fill("too short")
    guest.get_by_role("button", name="Make the account").click()
    expect(guest.get_by_text("3 more characters are needed")).to_be_visible()
    assert user_of(admin, email)["status"] == "INVITED"
    guest.get_by_label("Password", exact=True).fill("long enough now")
    guest.get_by_role("button", name="Make the account").click()
    expect(guest.get_by_role("heading", level=1)).to_have_text("Tickets")

    made = user_of(admin, email)
    assert (made["displayName"], made["role"], made["status"]) == ("New Person", "HR", "ACTIVE")


def test_an_invitation_that_was_used_says_what_to_do(visit: Visit, admin: Client, make_account: MakeAccount) -> None:
    account = make_account("OPS")
    before = user_of(admin, account.email)
    _, page = visit()
    page.goto(f"/signup?invitation=used-{uuid4().hex}&email={account.email}")
    page.get_by_label("Password", exact=True).fill("a good long password")

    page.get_by_role("button", name="Make the account").click()

    expect(page.get_by_role("alert")).to_contain_text("ask an admin for a new link under People")
    expect(page.get_by_label("Password", exact=True)).to_have_value("a good long password")
    assert user_of(admin, account.email) == before


def test_a_setup_token_is_good_for_the_first_account_alone(visit: Visit, admin: Client) -> None:
    count = len(admin.data(USERS)["users"]["nodes"])
    _, page = visit()
    page.goto("/signup?setup=not-the-token")
    expect(page.get_by_label("Setup token")).to_have_value("not-the-token")
    page.get_by_label("E-mail").fill(f"{uuid4().hex[:8]}@example.com")
    page.get_by_label("Password", exact=True).fill("a good long password")

    page.get_by_role("button", name="Make the account").click()

    expect(page.get_by_role("alert")).to_contain_text("ask that admin for an invitation")
    assert len(admin.data(USERS)["users"]["nodes"]) == count


def test_a_role_is_given_and_a_conflict_shows_both(sign_in: SignIn, admin: Client, make_account: MakeAccount) -> None:
    account = make_account("OPS")
    page = sign_in("admin").open("/people")
    role = row_of(page, account.email).get_by_role("combobox")
    role.select_option("HR")
    expect(role).to_have_value("HR")
    expect(role).to_be_enabled()
    user = user_of(admin, account.email)
    assert user["role"] == "HR"
    admin.mutate("setUserRole", userId=user["id"], expectedVersion=user["version"], role="ADMIN")

    role.select_option("OPS")
    conflict = row_of(page, account.email).get_by_role("alert")
    expect(conflict).to_contain_text("There now: Admin, active")
    expect(conflict).to_contain_text("Yours, not saved yet: Ops")
    assert user_of(admin, account.email)["role"] == "ADMIN"
    conflict.get_by_role("button", name="Save mine over it").click()

    expect(conflict).to_have_count(0)
    assert user_of(admin, account.email)["role"] == "OPS"


def test_a_person_is_deactivated_after_the_consequences_were_told(
    sign_in: SignIn, admin: Client, make_account: MakeAccount
) -> None:
    account = make_account("OPS")
    page = sign_in("admin").open("/people")
    row_of(page, account.email).get_by_role("button", name="Deactivate").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("is signed out everywhere at once")
    dialog.get_by_role("button", name="Cancel").click()
    assert user_of(admin, account.email)["status"] == "ACTIVE"

    row_of(page, account.email).get_by_role("button", name="Deactivate").click()
    dialog.get_by_role("button", name="Deactivate").click()

    expect(row_of(page, account.email)).to_contain_text("deactivated")
    expect(row_of(page, account.email).get_by_role("button", name="Deactivate")).to_be_disabled()
    assert user_of(admin, account.email)["status"] == "DEACTIVATED"


def test_giving_up_ones_own_admin_right_asks_first_and_the_last_admin_keeps_it(
    sign_in: SignIn, make_account: MakeAccount, stack: RunningStack, admin: Client
) -> None:
    account = make_account("ADMIN")
    page = sign_in(account).open("/people")
    role = row_of(page, account.email).get_by_role("combobox")
    role.select_option("OPS")
    dialog = page.get_by_role("dialog", name="Give up your own admin right?")
    dialog.get_by_role("button", name="Cancel").click()
    expect(role).to_have_value("ADMIN")

    with database_of(stack) as database:
        others = database.execute(
            "UPDATE auth.users SET status = 'deactivated' WHERE role = 'admin' AND status = 'active' AND id <> %s"
            " RETURNING id",
            (account.user_id,),
        ).fetchall()
        try:
            role.select_option("OPS")
            dialog.get_by_role("button", name="Give it up").click()
            expect(row_of(page, account.email).get_by_role("alert")).to_contain_text("last active admin")
        finally:
            ids = [row[0] for row in others]
            database.execute("UPDATE auth.users SET status = 'active' WHERE id = ANY(%s)", (ids,))
    row_of(page, account.email).get_by_role("button", name="Leave it so").click()
    expect(role).to_have_value("ADMIN")
    assert user_of(admin, account.email)["role"] == "ADMIN"


def test_an_api_token_is_shown_once_works_and_is_revoked(sign_in: SignIn, admin: Client, stack: RunningStack) -> None:
    person = sign_in("admin")
    page = person.open("/people?tab=tokens")
    assert person.operations == ["ApiTokens"]
    name = f"collector-{uuid4().hex[:8]}"
    page.get_by_role("button", name="New token").click()
    page.get_by_label("Service account").fill(name)
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_text("Choose at least one")).to_be_visible()
    page.get_by_label("logs:write").check()
    page.get_by_label("Ends", exact=True).select_option("30")
    page.get_by_role("button", name="Make the token").click()
    token = page.get_by_role("region", name="API token").inner_text()
    expect(page.get_by_role("region", name="Example")).to_contain_text(f'"{person.url}/v1/logs/upload?name=app.log"')

    assert Client(stack.url, token).upload(b"2026-11-23T10:00:00Z ERROR it broke\n").status_code == 202
    page.get_by_role("button", name="I have kept it").click()
    assert token not in page.content()
    row = page.get_by_role("list", name="API tokens").get_by_role("listitem").filter(has_text=name)
    row.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(row).to_contain_text("revoked")

    kept = next(each for each in admin.data(TOKENS)["apiTokens"]["nodes"] if each["serviceAccountName"] == name)
    assert (kept["scopes"], kept["expiresAt"] is not None, kept["revokedAt"] is not None) == (
        ["logs:write"],
        True,
        True,
    )


def test_secrets_are_nowhere_once_their_dialog_is_closed(sign_in: SignIn) -> None:
    page = sign_in("admin").open("/people?tab=tokens")
    page.keyboard.press("n")
    page.get_by_label("Service account").fill(f"ci-{uuid4().hex[:8]}")
    page.get_by_label("changes:write").check()
    page.get_by_role("button", name="Make the token").click()
    token = page.get_by_role("region", name="API token").inner_text()

    page.get_by_role("button", name="I have kept it").click()
    expect(page.get_by_role("dialog")).to_have_count(0)

    kept = page.evaluate(
        "() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href])"
    )
    assert token not in json.dumps(kept)
    assert token not in page.content()


@pytest.mark.parametrize("tab", ["people", "tokens"])
def test_people_and_tokens_are_accessible_and_fit_a_phone(sign_in: SignIn, tab: str) -> None:
    person = sign_in("admin")
    person.open(f"/people?tab={tab}")
    assert person.faults(f"people-{tab}") == {}

    person.page.keyboard.press("n")
    person.page.get_by_role("dialog").wait_for()
    person.page.wait_for_timeout(300)

    assert person.faults(f"people-{tab}-new") == {}
