"""Sessions in the browser: begun, renewed in silence, shared by tabs, ended, and what a person reads when they end."""

import json
from collections.abc import Callable
from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from tests.dashboard.browser import Account, Person
from tests.e2e.client import Client, database_of
from tests.e2e.conftest import RunningStack

SignIn = Callable[..., Person]
Visit = Callable[..., tuple[BrowserContext, Page]]
MakeAccount = Callable[[str | None], Account]
READABLE = "() => JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }])"


def sign_in_by_form(page: Page, email: str, password: str) -> None:
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def places(page: Page) -> list[str]:
    return [text.split("\n")[0] for text in page.get_by_label("Pages").get_by_role("link").all_inner_texts()]


def user_of(admin: Client, user_id: str) -> dict[str, object]:
    users = admin.data("{ users(first: 100) { nodes { id version role status } } }")["users"]["nodes"]
    found: dict[str, object] = next(user for user in users if user["id"] == user_id)
    return found


def test_a_load_of_the_page_goes_on_with_the_session_and_lands_where_it_was(sign_in: SignIn) -> None:
    person = sign_in("ops")

    page = person.open("/changelogs?state=DRAFT")

    expect(page.get_by_role("heading", level=1)).to_have_text("Changelogs")
    assert page.url == person.url + "/changelogs?state=DRAFT"


def test_no_script_of_the_page_can_read_the_refresh_token(sign_in: SignIn) -> None:
    person = sign_in("ops")
    person.open("/account")

    cookies = {cookie["name"]: cookie for cookie in person.context.cookies(person.url + "/v1/session")}
    token = cookies["aiops_refresh"]["value"]
    readable = json.loads(person.page.evaluate(READABLE))

    assert person.page.evaluate("() => document.cookie") == ""
    assert token not in json.dumps(readable)
    assert "eyJ" not in json.dumps(readable)
    assert cookies["aiops_refresh"]["httpOnly"] is True
    assert cookies["aiops_refresh"]["sameSite"] == "Strict"
    assert person.context.cookies(person.url + "/graphql") == []


def test_a_reload_in_the_middle_of_a_refresh_keeps_the_session(sign_in: SignIn) -> None:
    person = sign_in("ops")
    keys: list[str] = []
    person.page.on(
        "request",
        lambda request: (
            keys.append(request.headers["idempotency-key"]) if request.url.endswith("/session/refresh") else None
        ),
    )

    # The server has traded the token; the answer does not reach the page.
    person.page.route("**/v1/session/refresh", lambda route: (route.fetch(), route.abort())[0], times=1)
    with person.page.expect_event("requestfailed", lambda request: request.url.endswith("/session/refresh")):
        person.page.goto(person.url + "/changelogs")
    person.open("/changelogs")

    expect(person.page.get_by_role("heading", level=1)).to_have_text("Changelogs")
    assert len(set(keys)) == 1


def test_two_tabs_that_load_at_once_both_stay_signed_in(sign_in: SignIn) -> None:
    person = sign_in("ops")
    other = person.context.new_page()

    for page in (person.page, other):
        page.goto(person.url + "/changelogs", wait_until="commit")

    for page in (person.page, other):
        expect(page.get_by_role("heading", level=1)).to_have_text("Changelogs")


def test_signing_out_in_one_tab_ends_the_other_and_leaves_nothing_of_it(sign_in: SignIn) -> None:
    person = sign_in("ops")
    other = person.context.new_page()
    other.goto(person.url + "/changelogs")
    other.get_by_role("heading", level=1, name="Changelogs").wait_for()

    person.open("/logs").get_by_role("button", name="Account of Ops Person").click()
    person.page.get_by_role("menuitem", name="Sign out").click()
    person.page.wait_for_url(person.url + "/login")
    other.wait_for_url(person.url + "/login?to=%2Fchangelogs")

    assert person.context.cookies(person.url + "/v1/session") == []
    other.get_by_label("E-mail").wait_for()
    assert other.evaluate("() => ({ ...sessionStorage })") == {}
    other.goto(person.url + "/tickets")
    expect(other).to_have_url(person.url + "/login?to=%2Ftickets")


def test_a_wrong_password_clears_the_password_alone_and_the_target_is_kept(
    visit: Visit, make_account: MakeAccount
) -> None:
    account = make_account("OPS")
    _, page = visit()
    page.goto("/changelogs?state=DRAFT")

    sign_in_by_form(page, account.email, "not the right password")
    expect(page.get_by_role("alert")).to_contain_text("e-mail address and password do not belong together")

    expect(page.get_by_label("E-mail")).to_have_value(account.email)
    expect(page.get_by_label("Password", exact=True)).to_have_value("")
    expect(page.get_by_label("Password", exact=True)).to_be_focused()
    page.get_by_label("Password", exact=True).fill(account.password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Changelogs")
    assert page.url.endswith("/changelogs?state=DRAFT")


def test_too_many_attempts_count_down_the_seconds_and_keep_what_was_typed(visit: Visit) -> None:
    _, page = visit()
    page.goto("/login")
    refusal = {"code": "TOO_MANY_ATTEMPTS", "detail": "too many attempts; try again in 3 s", "retryAfterSeconds": 3}
    page.route(
        "**/v1/session",
        lambda route: route.fulfill(status=429, content_type="application/problem+json", body=json.dumps(refusal)),
    )

    sign_in_by_form(page, "somebody@example.com", "a password that stays")

    expect(page.get_by_role("button", name="Wait 3 s")).to_be_disabled()
    expect(page.get_by_role("button", name="Wait 1 s")).to_be_disabled()
    expect(page.get_by_role("button", name="Sign in")).to_be_enabled()
    expect(page.get_by_role("alert")).to_contain_text("You can try again now.")
    expect(page.get_by_label("Password", exact=True)).to_have_value("a password that stays")


def test_a_session_that_ended_asks_over_the_page_and_nothing_typed_is_lost(
    sign_in: SignIn, make_account: MakeAccount, stack: RunningStack
) -> None:
    person = sign_in(make_account("ADMIN"))
    person.page.clock.install()
    page = person.open("/people")
    page.get_by_role("button", name="Invite").click()
    page.get_by_label("E-mail").fill("typed@example.com")
    with database_of(stack) as database:
        database.execute(
            "UPDATE auth.sessions SET revoked_at = now(), revocation_cause = 'logged_out' WHERE user_id = %s",
            (person.account.user_id,),
        )

    page.clock.fast_forward("10:00")
    asked = page.get_by_role("dialog", name="Your session has ended")
    asked.wait_for()
    expect(asked.get_by_label("E-mail")).to_have_value(person.account.email)
    asked.get_by_label("Password", exact=True).fill(person.account.password)
    asked.get_by_role("button", name="Sign in").click()
    asked.wait_for(state="detached")

    expect(page.get_by_label("E-mail")).to_have_value("typed@example.com")
    page.get_by_role("button", name="Make the link").click()
    expect(page.get_by_role("region", name="Invitation link")).to_contain_text(person.url + "/signup?invitation=")


def test_a_deactivated_person_reads_so_when_signing_in_again(
    sign_in: SignIn, make_account: MakeAccount, admin: Client
) -> None:
    person = sign_in(make_account("OPS"))
    person.page.clock.install()
    page = person.open("/changelogs")
    version = user_of(admin, person.account.user_id)["version"]
    closed = admin.mutate("deactivateUser", userId=person.account.user_id, expectedVersion=version)
    assert closed["__typename"] == "DeactivateUserSuccess", closed

    page.clock.fast_forward("10:00")
    asked = page.get_by_role("dialog", name="Your session has ended")
    asked.get_by_label("Password", exact=True).fill(person.account.password)
    asked.get_by_role("button", name="Sign in").click()

    expect(asked.get_by_role("alert")).to_contain_text("deactivated")


def test_a_role_that_was_lost_is_told_and_changes_where_one_can_go(
    sign_in: SignIn, make_account: MakeAccount, admin: Client
) -> None:
    person = sign_in(make_account("ADMIN"))
    page = person.open("/people")
    assert places(page) == ["Logs", "Tickets", "Changelogs", "People"]
    version = user_of(admin, person.account.user_id)["version"]
    changed = admin.mutate("setUserRole", userId=person.account.user_id, expectedVersion=version, role="OPS")
    assert changed["__typename"] == "SetUserRoleSuccess", changed
    email = f"{uuid4().hex[:8]}@example.com"

    page.wait_for_timeout(5_100)  # a renewal a moment ago would have told the role
    page.get_by_role("button", name="Invite").click()
    page.get_by_label("E-mail").fill(email)
    page.get_by_role("button", name="Make the link").click()
    notice = page.get_by_role("alert").filter(has_text="Your role was changed from admin to ops")
    notice.wait_for()

    assert places(page) == ["Logs", "Tickets", "Changelogs"]
    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    page.get_by_role("button", name="I have read it").click()
    expect(notice).to_have_count(0)
    assert email not in [
        user["email"] for user in admin.data("{ users(first: 100) { nodes { email } } }")["users"]["nodes"]
    ]


def test_another_person_who_signs_in_over_the_page_does_not_get_it(sign_in: SignIn, make_account: MakeAccount) -> None:
    person, other = sign_in(make_account("ADMIN")), make_account("HR")
    person.page.clock.install()
    page = person.open("/people")
    person.context.clear_cookies()

    page.clock.fast_forward("10:00")
    asked = page.get_by_role("dialog", name="Your session has ended")
    asked.get_by_label("E-mail").fill(other.email)
    asked.get_by_label("Password", exact=True).fill(other.password)
    asked.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="There is no such page").wait_for()

    assert places(page) == ["Tickets", "Changelogs"]
    expect(page.get_by_text(person.account.email)).to_have_count(0)


def test_the_account_page_changes_the_password_and_ends_the_other_sessions(
    sign_in: SignIn, make_account: MakeAccount, visit: Visit
) -> None:
    account = make_account("OPS")
    person, elsewhere = sign_in(account), sign_in(account)
    elsewhere.open("/account")
    page = person.open("/account")
    assert person.operations == ["Me"]
    page.get_by_label("Current password", exact=True).fill(account.password)
    page.get_by_label("New password", exact=True).fill("ä" * 37)
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("74 bytes are more than 72: take 2 away")).to_be_visible()
    assert person.operations == ["Me"]

    page.get_by_label("New password", exact=True).fill("another good password")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("Your password is changed")).to_be_visible()

    elsewhere.page.reload()
    expect(elsewhere.page.get_by_role("button", name="Sign in")).to_be_visible()
    _, fresh = visit()
    fresh.goto("/login")
    sign_in_by_form(fresh, account.email, "another good password")
    expect(fresh.get_by_role("heading", level=1)).to_have_text("Logs")
    expect(person.open("/account").get_by_role("heading", level=1)).to_have_text("Account")


def test_a_wrong_current_password_changes_nothing_and_keeps_the_new_one(
    sign_in: SignIn, make_account: MakeAccount, stack: RunningStack
) -> None:
    account = make_account("OPS")
    page = sign_in(account).open("/account")
    page.get_by_label("Current password", exact=True).fill("not the right password")
    page.get_by_label("New password", exact=True).fill("another good password")

    page.get_by_role("button", name="Change password").click()

    expect(page.get_by_role("alert")).to_contain_text("The current password is not right")
    expect(page.get_by_label("Current password", exact=True)).to_have_value("")
    expect(page.get_by_label("New password", exact=True)).to_have_value("another good password")
    logged = Client(stack.url).mutate("logIn", "user { id }", email=account.email, password=account.password)
    assert logged["__typename"] == "LogInSuccess"


@pytest.mark.parametrize("path", ["/login", "/signup?invitation=x", "/signup"])
def test_pages_for_those_who_are_signed_out_are_accessible_and_fit_a_phone(visit: Visit, path: str) -> None:
    _, page = visit()
    person = Person(page.context, page, Account("", "", "", None), "")
    page.goto(path)
    person.settle()

    assert person.faults(path.strip("/").replace("?", "-").replace("=", "-")) == {}


def test_the_account_page_is_accessible_in_both_themes(sign_in: SignIn) -> None:
    person = sign_in("ops")
    person.open("/account")

    assert person.faults("account") == {}
