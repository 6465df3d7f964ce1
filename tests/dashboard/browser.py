"""One person in front of the dashboard: a browser context that is signed in, and what tests ask of its pages."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, Request

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "dashboard" / "node_modules" / "axe-core" / "axe.min.js"
SCREENSHOTS = Path(os.environ.get("AIOPS_SCREENSHOTS", ROOT / "dashboard" / "screenshots"))
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
WAIT_MILLISECONDS = 20_000
WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 375, "height": 740}
LONG_TASKS = """() => {
  window.__longTasks = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.__longTasks.push(Math.round(entry.duration));
  }).observe({ type: "longtask" });
}"""


@dataclass(frozen=True)
class Account:
    """Somebody who can sign in."""

    email: str
    password: str
    user_id: str
    role: str | None


@dataclass
class Person:
    """A signed-in browser. `complaints` holds what the page's console said in anger."""

    context: BrowserContext
    page: Page
    account: Account
    url: str
    complaints: list[str] = field(default_factory=list)
    operations: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Load a page anew and wait until its heading stands and nothing is loading any more."""
        self.operations.clear()
        self.page.goto(self.url + path)
        self.settle()
        return self.page

    def settle(self) -> None:
        """Wait until the page has its heading and shows no sign of loading."""
        self.page.locator("h1, h2").first.wait_for()
        self.page.wait_for_function("() => document.querySelector('[aria-label=\"Loading\"]') === null")

    def violations(self) -> list[str]:
        """What axe finds wrong with the page as it stands: rule, then the first element."""
        self.page.evaluate(AXE.read_text())
        found: list[dict[str, Any]] = self.page.evaluate(
            "async () => (await axe.run(document, { resultTypes: ['violations'] })).violations"
        )
        return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found]

    def faults(self, name: str) -> dict[str, object]:
        """What is wrong with the page as it stands: empty when nothing is. Its pictures are written for a person.

        Axe looks in both themes; `sideways` is by how many pixels the page is wider than a phone.
        """
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        found: dict[str, object] = {}
        for scheme in ("light", "dark"):
            self.scheme(scheme)
            found[scheme] = self.violations()
            self.page.screenshot(path=SCREENSHOTS / f"{name}-{scheme}.png", full_page=True)
        found["sideways"] = self.sideways(SCREENSHOTS / f"{name}-narrow.png")
        return {kind: each for kind, each in found.items() if each}

    def scheme(self, scheme: str) -> None:
        """Change the theme as the system would."""
        self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        self.page.wait_for_function(
            "(scheme) => document.documentElement.dataset.mantineColorScheme === scheme", arg=scheme
        )
        self.page.wait_for_timeout(250)  # colours change by a transition

    def sideways(self, picture: Path | None = None) -> int:
        """By how many pixels the page is wider than a phone; with a picture of it where one is named."""
        self.page.set_viewport_size(NARROW)  # type: ignore[arg-type]
        self.page.wait_for_timeout(150)
        wider: int = self.page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
        if picture is not None:
            self.page.screenshot(path=picture, full_page=True)
        self.page.set_viewport_size(WIDE)  # type: ignore[arg-type]
        return wider

    def hear(self, request: Request) -> None:
        """Note the name of each GraphQL operation that the page sends."""
        if request.url.endswith("/graphql") and request.method == "POST":
            body = json.loads(request.post_data or "{}")
            named = re.match(r"\s*(?:query|mutation)\s+(\w+)", body.get("query", ""))
            self.operations.append(body.get("operationName") or (named[1] if named else "?"))
