"""The dashboard in Chromium before a warm stack: what it loads, when something useful stands there, how records scroll.

The floor of a page is a page of the same gateway with nothing on it (its icon), in the same browser and run.
"""

import gzip
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from playwright.sync_api import Page, Request, sync_playwright
from tests.bench.stack import command
from tests.dashboard.browser import FLAGS, LONG_TASKS, ROOT, WIDE

from aiops_cli import graph

OFFSET = 22_000
ROUNDS = 5
RECORDS = 10_000
SCROLL_STEPS = 400
RECORD_LIST = "[aria-label='Records by line']"
ROWS = {"/logs": "ul[aria-label] a", "/logs/{log}": f"{RECORD_LIST} [data-index]"}


def records_log() -> bytes:
    """Ten thousand lines, one in twelve an error."""
    shapes = ("INFO order {n} paid in {b} ms", "ERROR provider refused connection to 10.0.0.{c}:443 after {b} ms")
    return "\n".join(
        f"2026-11-20T10:{n // 600 % 60:02d}:{n // 10 % 60:02d}Z " + shapes[n % 12 == 0].format(n=n, b=n % 250, c=n % 20)
        for n in range(RECORDS)
    ).encode()


def sign_in(page: Page, url: str, admin: dict[str, str]) -> None:
    """Through the page, as a person does."""
    page.goto(url + "/login")
    page.get_by_label("E-mail").fill(admin["email"])
    page.locator("input[autocomplete=current-password]").fill(admin["password"])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda address: "/login" not in address)


def first_row_milliseconds(page: Page, address: str, row: str) -> float:
    """From the start of the navigation until the first row of content is painted."""
    page.goto(address, wait_until="commit")
    page.locator(row).first.wait_for()
    painted: float = page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()))))"
    )
    return painted


def loaded_scripts(page: Page, url: str, before: float) -> int:
    """Bytes of JavaScript, gzipped, that the page had loaded by a moment of its own clock, from the cache or not."""
    names: list[str] = page.evaluate(
        "(before) => performance.getEntriesByType('resource')"
        ".filter((each) => each.name.endsWith('.js') && each.responseEnd <= before).map((each) => each.name)",
        before,
    )
    dist = ROOT / "dashboard" / "dist"
    files = {dist / name.removeprefix(url + "/") for name in names}
    return sum(len(gzip.compress(file.read_bytes(), 9)) for file in files)


def longest_task(page: Page, address: str) -> tuple[int, int]:
    """The longest task in milliseconds while all records are scrolled through, and how many lines were reached."""
    page.goto(address)
    page.locator(ROWS["/logs/{log}"]).first.wait_for()
    page.wait_for_timeout(1_000)  # what loads the page is measured elsewhere
    page.evaluate(f"({LONG_TASKS})()")
    scroller = page.locator(RECORD_LIST)
    scroller.scroll_into_view_if_needed()
    box = scroller.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 50, box["y"] + box["height"] / 2)
    reached = 0
    for _ in range(SCROLL_STEPS):
        page.mouse.wheel(0, 1_200)
        page.wait_for_timeout(16)
        reached = page.evaluate(
            "() => Math.max(...[...document.querySelectorAll('[data-index]')].map((each) => +each.dataset.index + 1))"
        )
        if reached >= RECORDS:
            break
    tasks: list[int] = page.evaluate("() => window.__longTasks")
    return max(tasks, default=0), reached


def note(seen: list[str], request: Request) -> None:
    """Remember that a GraphQL operation was sent."""
    if request.url.endswith("/graphql"):
        seen.append(request.url)


def measure(url: str, folder: Path) -> None:
    """Print the figures of a running stack."""
    admin = json.loads((folder / "admin.json").read_text())
    session, _ = graph.log_in(url, admin["email"], admin["password"])
    client = graph.Graph(session)
    log = client.upload([records_log()], {"name": "records.log", "service": "checkout"})["id"]
    chromium = subprocess.run(
        [sys.executable, str(ROOT / "dev" / "browser.py")], capture_output=True, text=True, check=True
    ).stdout.strip()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        context = browser.new_context(viewport=WIDE)  # type: ignore[arg-type]
        page = context.new_page()
        sign_in(page, url, admin)
        floor = statistics.median(first_row_milliseconds(page, url + "/favicon.svg", "svg") for _ in range(ROUNDS))
        for path, row in ROWS.items():
            address = url + path.format(log=log)
            operations: list[str] = []
            page.on("request", partial(note, operations))
            first_row_milliseconds(page, address, row)
            page.wait_for_load_state("networkidle")
            count = len(operations)
            times = [first_row_milliseconds(page, address, row) for _ in range(ROUNDS)]
            middle = statistics.median(times)
            page.wait_for_timeout(4_000)  # what is fetched ahead comes after three seconds
            first, size = (loaded_scripts(page, url, until) for until in (times[-1], math.inf))
            print(
                f"  {path:<12} first row {middle:5.0f} ms ({middle / floor:.0f} times an empty page), "
                f"{count} GraphQL requests, "
                f"{first / 1e3:.0f} kB of JavaScript gzipped by then, {size / 1e3:.0f} kB in the end"
            )
        longest, reached = longest_task(page, f"{url}/logs/{log}")
        print(f"  scrolling {reached:,} of {RECORDS:,} records: longest task {longest} ms (0: none over 50 ms)")
        browser.close()


def main() -> None:
    """Start a stack, measure, and delete it."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "state"
        environment = {
            **os.environ,
            "AIOPS_STATE_DIR": str(folder),
            "AIOPS_PORT_OFFSET": str(OFFSET),
            "AIOPS_ENVIRONMENT": "development",
        }
        command(environment, "up", "--detach")
        try:
            measure(f"http://127.0.0.1:{8080 + OFFSET}", folder)
        finally:
            command(environment, "reset")


if __name__ == "__main__":
    main()
