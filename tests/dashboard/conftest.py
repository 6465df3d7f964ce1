"""The built dashboard in a real Chromium in front of a real stack."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from uuid import uuid4

import httpx
import psutil
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright
from tests.dashboard.browser import FLAGS, ROOT, WAIT_MILLISECONDS, WIDE, Account, Person
from tests.dashboard.content import Content, fill
from tests.e2e.client import Client, admin_of, session_of
from tests.e2e.conftest import RunningStack, end_stacks, start, until_folder_ends

TOKEN_SECONDS = 300.0
PASSWORD = "correct horse battery staple"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the first test of a worker the time to build pages and start a stack and a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(300))
            # A browser has clocks of its own, and machines are shared: two more tries, which the summary shows.
            item.add_marker(pytest.mark.flaky(reruns=2))


def _run_dev(script: str) -> str:
    done = subprocess.run(
        [sys.executable, str(ROOT / "dev" / script)], capture_output=True, text=True, timeout=900, check=False
    )
    if done.returncode:
        reason = done.stdout + done.stderr
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return done.stdout.strip()


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the browser, installed when it is missing and may be."""
    return _run_dev("browser.py")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, object, object]:
    """The stack goes with the last test of the folder."""
    done = yield
    end_stacks(Path(__file__).parent, nextitem, item.config)
    return done


@pytest.fixture(scope="session")
def stack(
    chromium: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningStack]:
    del chromium  # no stack is started for nothing
    _run_dev("dashboard.py")
    running = start(tmp_path_factory.mktemp("dashboard"), extra={"AUTH_BCRYPT_COST": "4"})
    yield until_folder_ends(running, Path(__file__).parent, request.config)
    running.command("reset")


class Renewed:
    """A client that is made anew before its access token, which lives for ten minutes, ends."""

    def __init__(self, make: Callable[[], Client]) -> None:
        self._make = make
        self._made: tuple[float, Client] | None = None

    def client(self) -> Client:
        """One whose token is good for minutes."""
        if self._made is None or time.monotonic() - self._made[0] > TOKEN_SECONDS:
            self._made = (time.monotonic(), self._make())
        return self._made[1]


@pytest.fixture(scope="session")
def first_admin(stack: RunningStack) -> Renewed:
    """The first admin, by GraphQL."""
    return Renewed(lambda: admin_of(stack))


@pytest.fixture
def admin(first_admin: Renewed) -> Client:
    """The first admin, by GraphQL, with a token that lasts for the test."""
    return first_admin.client()


@pytest.fixture(scope="session")
def make_account(stack: RunningStack, first_admin: Renewed) -> Callable[[str | None], Account]:
    """Make a new account of a role, by an invitation as people get one."""

    def make(role: str | None) -> Account:
        email = f"{(role or 'nobody').lower()}-{uuid4().hex[:8]}@example.com"
        invited = first_admin.client().mutate(
            "inviteUser", "invitationToken", email=email, **({"role": role} if role else {})
        )
        assert invited["__typename"] == "InviteUserSuccess", invited
        signed = Client(stack.url).mutate(
            "signUp",
            "user { id }",
            email=email,
            password=PASSWORD,
            displayName=f"{(role or 'nobody').capitalize()} Person",
            invitationToken=invited["invitationToken"],
        )
        assert signed["__typename"] == "SignUpSuccess", signed
        return Account(email, PASSWORD, signed["user"]["id"], role)

    return make


@pytest.fixture(scope="session")
def accounts(make_account: Callable[[str | None], Account]) -> dict[str, Account]:
    """One account of each role; tests that change an account make their own."""
    return {name: make_account(role) for name, role in (("admin", "ADMIN"), ("ops", "OPS"), ("hr", "HR"))}


@pytest.fixture(scope="session")
def as_role(stack: RunningStack, accounts: dict[str, Account]) -> Callable[[str], Client]:
    """A GraphQL client of each role, to prepare what pages show."""

    def signed_in(account: Account) -> Client:
        return Client(stack.url, session_of(stack, account.email, account.password)["session"]["accessToken"])

    known = {role: Renewed(partial(signed_in, account)) for role, account in accounts.items()}
    return lambda role: known[role].client()


@pytest.fixture(scope="session")
def content(as_role: Callable[[str], Client]) -> Content:
    """What pages show: stored once, changed by no test."""
    return fill(as_role)


# By module: while it is open it holds the thread's event loop, which asynchronous tests of other folders need.
@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    expect.set_options(timeout=WAIT_MILLISECONDS)
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def browser(playwright: Playwright, chromium: str) -> Iterator[Browser]:
    launched = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
    yield launched
    launched.close()


@pytest.fixture
def visit(browser: Browser, stack: RunningStack) -> Iterator[Callable[..., tuple[BrowserContext, Page]]]:
    """Open a browser of its own, signed out: nothing is shared with another but the server."""
    contexts: list[BrowserContext] = []

    def opened(url: str = "") -> tuple[BrowserContext, Page]:
        context = browser.new_context(base_url=url or stack.url, viewport=WIDE, timezone_id="UTC")  # type: ignore[arg-type]
        context.set_default_timeout(WAIT_MILLISECONDS)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        contexts.append(context)
        return context, context.new_page()

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def sign_in(
    visit: Callable[..., tuple[BrowserContext, Page]], accounts: dict[str, Account], stack: RunningStack
) -> Iterator[Callable[..., Person]]:
    """Sign in as a role or an account of the test's own, by the door that the form uses; `url` names another gateway.

    No page is open yet. At the end of the test each page's console must have been quiet, but for requests that failed.
    """
    people: list[Person] = []

    def signed_in(who: str | Account, *, url: str = "") -> Person:
        account = accounts[who] if isinstance(who, str) else who
        context, page = visit(url)
        person = Person(context, page, account, url or stack.url)
        people.append(person)
        page.on("pageerror", lambda error: person.complaints.append(str(error)))
        page.on(
            "console",
            lambda message: (
                person.complaints.append(message.text)
                if message.type == "error"
                and "Failed to load resource" not in message.text
                and "WebSocket connection" not in message.text
                and "net::ERR" not in message.text
                else None
            ),
        )
        page.on("request", person.hear)
        entered = context.request.post(
            person.url + "/v1/session",
            headers={"X-Aiops-Csrf": "1"},
            data={"email": account.email, "password": account.password},
        )
        assert entered.ok, entered.text()
        return person

    yield signed_in
    assert [(person.account.email, person.complaints) for person in people if person.complaints] == []


def process_of(stack: RunningStack, name: str) -> psutil.Process:
    """The running process of a service or the gateway."""
    pids = json.loads((stack.folder / "stack.json").read_text())["processes"]
    wanted = "gateway" if name == "gateway" else f"{name}_service"
    for parent in [psutil.Process(int(pid)) for pid in pids if psutil.pid_exists(int(pid))]:
        for process in [parent, *parent.children(recursive=True)]:
            with suppress(psutil.Error):
                if wanted in process.cmdline():
                    return process
    raise AssertionError(f"{name} does not run")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def gateway_without(stack: RunningStack, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Address of a second gateway that finds nothing where the named services should be."""
    processes: list[subprocess.Popen[bytes]] = []

    def started(*services: str) -> str:
        port, operations = _free_port(), _free_port()
        environment = {
            **process_of(stack, "gateway").environ(),
            "GATEWAY_HTTP_LISTEN": f"127.0.0.1:{port}",
            "GATEWAY_OPERATIONS_LISTEN": f"127.0.0.1:{operations}",
            **{f"AIOPS_{service.upper()}_TARGET": f"127.0.0.1:{_free_port()}" for service in services},
        }
        with (tmp_path / f"gateway-{port}.log").open("wb") as log:
            processes.append(
                subprocess.Popen([sys.executable, "-m", "gateway"], env=environment, stdout=log, stderr=log)
            )
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            with suppress(httpx.HTTPError):
                if httpx.get(f"http://127.0.0.1:{operations}/readyz").status_code == httpx.codes.OK:
                    return f"http://127.0.0.1:{port}"
            time.sleep(0.1)
        raise AssertionError((tmp_path / f"gateway-{port}.log").read_text())

    yield started
    for process in processes:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
