"""Logs as people bring them in and find them again: drops, refusals, broken lines, filters, keys, roles."""

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect
from tests.dashboard.browser import Person
from tests.dashboard.content import log_lines
from tests.e2e.client import SUMMARY, Client

SignIn = Callable[..., Person]
AsRole = Callable[[str], Client]

DROP = """([name, content, size]) => {
  const files = new DataTransfer();
  files.items.add(new File([size > 0 ? new Uint8Array(size) : content], name));
  for (const kind of ["dragover", "drop"])
    document.body.dispatchEvent(new DragEvent(kind, { dataTransfer: files, bubbles: true, cancelable: true }));
}"""
NAMED = """
query Named($text: String!) { logs(filter: { text: $text }, first: 100) { nodes { id name service version } } }
"""
LOG_PATH = re.compile(r"/logs/[0-9a-f-]{36}")


def drop(page: Page, name: str, content: str = "", *, size_bytes: int = 0) -> None:
    page.evaluate(DROP, [name, content, size_bytes])


def upload(page: Page, name: str) -> Any:
    return page.get_by_role("list", name="Uploads").get_by_role("listitem").filter(has_text=name)


def names(page: Page) -> list[str]:
    return [link.split("\n")[1] for link in page.get_by_role("list", name="Logs").get_by_role("link").all_inner_texts()]


@pytest.fixture
def unique() -> str:
    """A word that only the logs of one test have in their names."""
    return uuid4().hex[:12]


@pytest.fixture
def uploads(sign_in: SignIn) -> tuple[Person, list[tuple[str, str | None]]]:
    """Somebody at the list of logs, and the address and key of each upload that the page sends."""
    person = sign_in("ops")
    sent: list[tuple[str, str | None]] = []
    person.page.on(
        "request",
        lambda request: (
            sent.append((request.url.removeprefix(person.url), request.headers.get("idempotency-key")))
            if "/v1/logs/upload" in request.url
            else None
        ),
    )
    person.open("/logs")
    return person, sent


def test_a_dropped_file_is_sent_with_progress_and_each_sentence_opens_exactly_its_lines(
    uploads: tuple[Person, list[tuple[str, str | None]]], admin: Client, unique: str
) -> None:
    person, sent = uploads
    page = person.page
    text = log_lines(12_000)
    network = person.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 400_000}
    network.send("Network.emulateNetworkConditions", slow)

    drop(page, f"{unique}.log", text)
    expect(upload(page, unique)).to_contain_text(re.compile(rf"\d[\d.]* kB of {len(text.encode()) / 1024:.1f} kB"))
    part = float(page.get_by_role("progressbar", name=f"Upload of {unique}.log").get_attribute("aria-valuenow") or "0")
    page.get_by_role("link", name=f"{unique}.log").first.click(timeout=60_000)

    page.wait_for_url(LOG_PATH)
    page.get_by_role("heading", level=1, name=f"{unique}.log").wait_for()
    log = admin.summarized(page.url.rsplit("/", 1)[1])
    assert 0 < part < 100
    assert len(sent) == 1
    assert sent[0][0] == f"/v1/logs/upload?name={unique}.log&timezone=UTC"
    assert log["recordCount"] == 12_000
    sentences = log["summary"]["sentences"]
    assert len(sentences) > 1
    page.get_by_role("button", name=re.compile(r"\[\d+ lines?\]$")).first.wait_for()
    for number, sentence in enumerate(sentences, start=1):
        page.get_by_role("button", name=re.compile(r"\[\d+ lines?\]$")).nth(number - 1).click()
        panel = page.get_by_role("region", name=f"Lines of sentence {number}")
        panel.wait_for()
        bodies = [line.locator(":scope > :last-child").inner_text() for line in panel.locator("[data-line]").all()]
        assert bodies == [record["body"] for record in sentence["records"]]
        assert page.url.endswith(f"?sentence={number}")


def test_a_file_over_50_mb_is_refused_before_a_byte_is_sent(
    uploads: tuple[Person, list[tuple[str, str | None]]], admin: Client, unique: str
) -> None:
    person, sent = uploads

    drop(person.page, f"{unique}.log", size_bytes=62_914_560)

    expect(upload(person.page, unique).get_by_role("alert")).to_contain_text(
        f"{unique}.log is not stored"
        "The file has 60.0 MB; a log has at most 50 MB (52,428,800 bytes). Nothing was sent. "
        f"Split it at line ends, split -C 50m {unique}.log part-, then drop the parts here or send each with: "
        "aiops logs push part-aaLOG_TOO_LARGE"
    )
    assert sent == []
    assert admin.data(NAMED, {"text": unique})["logs"]["nodes"] == []


@pytest.mark.parametrize(
    ("content", "code", "requests"), [("", "LOG_EMPTY", 0), ("\0\1\2\3 binary \0\0", "LOG_NOT_TEXT", 1)]
)
def test_a_file_that_can_never_be_a_log_says_so_and_offers_no_second_try(
    uploads: tuple[Person, list[tuple[str, str | None]]],
    admin: Client,
    unique: str,
    content: str,
    code: str,
    requests: int,
) -> None:
    person, sent = uploads

    drop(person.page, f"{unique}.log", content)

    expect(upload(person.page, unique).get_by_role("alert")).to_contain_text(code)
    expect(upload(person.page, unique).get_by_role("button", name="Try again")).to_have_count(0)
    assert len(sent) == requests
    assert admin.data(NAMED, {"text": unique})["logs"]["nodes"] == []


def test_an_upload_that_a_broken_line_stops_goes_on_with_the_same_key_and_is_stored_once(
    uploads: tuple[Person, list[tuple[str, str | None]]], admin: Client, unique: str
) -> None:
    person, sent = uploads
    page = person.page
    person.context.set_offline(True)

    drop(page, f"{unique}.log", log_lines(50))
    again = upload(page, unique).get_by_role("button", name="Try again")
    again.wait_for()
    lost = page.get_by_text("The server cannot be reached")
    expect(lost).to_be_visible()
    person.context.set_offline(False)
    expect(lost).to_have_count(0)
    again.click()

    page.get_by_role("list", name="Logs").get_by_text(f"{unique}.log").wait_for()
    assert len({key for _, key in sent}) == 1
    assert [log["name"] for log in admin.data(NAMED, {"text": unique})["logs"]["nodes"]] == [f"{unique}.log"]


def test_several_files_go_one_after_the_other_and_their_rows_come_alive(
    uploads: tuple[Person, list[tuple[str, str | None]]], admin: Client, unique: str
) -> None:
    person, sent = uploads
    page = person.page
    page.get_by_role("button", name="Add a log").click()
    page.get_by_label("Service").first.fill("shop")
    page.get_by_role("combobox", name="Time zone").fill("Europe/Berlin")
    page.get_by_role("option", name="Europe/Berlin").click()

    for number in range(3):
        drop(page, f"{unique}-{number}.log", log_lines(50))

    for number in range(3):
        page.get_by_role("list", name="Logs").get_by_text(f"{unique}-{number}.log").wait_for()
    expect(page.get_by_role("list", name="Logs").get_by_text("being summarised")).to_have_count(0)
    queries = [
        f"/v1/logs/upload?name={unique}-{number}.log&timezone=Europe%2FBerlin&service=shop" for number in (0, 1, 2)
    ]
    assert [address for address, _ in sent] == queries
    assert [log["service"] for log in admin.data(NAMED, {"text": unique})["logs"]["nodes"]] == ["shop"] * 3


def test_pasted_text_becomes_a_log_with_its_page(sign_in: SignIn, admin: Client, unique: str) -> None:
    page = sign_in("ops").open("/logs")
    page.keyboard.press("n")
    page.get_by_label("Name").fill(unique)

    page.get_by_label("Or paste the lines").fill(log_lines(20))
    page.keyboard.press("Control+Enter")

    page.wait_for_url(LOG_PATH)
    log = admin.data(SUMMARY, {"id": page.url.rsplit("/", 1)[1]})["log"]
    assert (log["name"], log["recordCount"]) == (unique, 20)


def test_filters_survive_reload_and_back(sign_in: SignIn, as_role: AsRole, unique: str) -> None:
    ops = as_role("ops")
    made = {
        name: ops.mutate("summarizeLog", "log { id version }", name=f"{unique} {name}", text=log_lines(5), service=name)
        for name in ("first", "second")
    }
    ops.summarized(made["second"]["log"]["id"])
    version = ops.data(SUMMARY, {"id": made["second"]["log"]["id"]})["log"]["version"]
    log_id = made["second"]["log"]["id"]
    ops.mutate("updateLogStatus", "log { id }", logId=log_id, expectedVersion=version, status="ACKNOWLEDGED")
    person = sign_in("ops")
    page = person.open("/logs")

    page.get_by_role("searchbox", name="Search").fill(unique)
    page.wait_for_url(f"**/logs?text={unique}")
    expect(page.get_by_role("list", name="Logs").get_by_role("link")).to_have_count(2)
    both = names(page)
    page.get_by_role("combobox", name="Status").click()
    page.get_by_role("option", name="Acknowledged").click()
    expect(page.get_by_role("list", name="Logs").get_by_role("link")).to_have_count(1)
    page.reload()
    person.settle()
    one = names(page)
    page.go_back()
    expect(page.get_by_role("list", name="Logs").get_by_role("link")).to_have_count(2)

    assert both == [f"{unique} second", f"{unique} first"]
    assert one == [f"{unique} second"]
    assert page.url.endswith(f"/logs?text={unique}")
    expect(page.get_by_role("searchbox", name="Search")).to_have_value(unique)


def test_the_keyboard_finds_opens_and_moves_a_log(sign_in: SignIn, as_role: AsRole, admin: Client, unique: str) -> None:
    ops = as_role("ops")
    ids = [
        ops.mutate("summarizeLog", "log { id }", name=f"{unique} {number}", text=log_lines(5))["log"]["id"]
        for number in range(3)
    ]
    for log_id in ids:
        ops.summarized(log_id)
    page = sign_in("ops").open("/logs")

    page.keyboard.press("/")
    page.keyboard.type(unique)
    expect(page.get_by_role("list", name="Logs").get_by_role("link")).to_have_count(3)
    page.keyboard.press("Escape")
    page.keyboard.type("jjk")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/logs/{ids[1]}")
    status = page.get_by_label("Status: ")
    page.get_by_label("Status: open").wait_for()
    seen = []
    for key, wanted in (("a", "acknowledged"), ("r", "resolved"), ("o", "open")):
        page.keyboard.press(key)
        page.get_by_label(f"Status: {wanted}").wait_for()
        seen.append(admin.data("query S($id: ID!) { log(id: $id) { status } }", {"id": ids[1]})["log"]["status"])
    page.keyboard.type("gl")

    page.wait_for_url("**/logs")
    expect(status).to_have_count(0)
    assert seen == ["ACKNOWLEDGED", "RESOLVED", "OPEN"]


def test_hr_sees_no_log_by_any_address(sign_in: SignIn, as_role: AsRole) -> None:
    log = as_role("ops").mutate("summarizeLog", "log { id }", name="secret", text=log_lines(5))["log"]["id"]
    person = sign_in("hr")

    real = person.open(f"/logs/{log}").get_by_role("main").inner_text()
    made_up = person.open("/logs/01900000-0000-7000-8000-000000000000").get_by_role("main").inner_text()

    assert real == made_up
    assert person.page.get_by_role("heading").all_inner_texts() == ["There is no such page"]
    assert person.operations == []
