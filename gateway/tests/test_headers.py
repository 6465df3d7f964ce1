"""The headers that a security review looks for: on every door, page, file and error, and not left to each of them."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import httpx
import pytest

from gateway.testing.stack import Script

StartScript = Callable[..., AbstractAsyncContextManager[Script]]

EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "strict-transport-security": "max-age=31536000",
}
DATA = EVERYWHERE | {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
}


@pytest.fixture
def dashboard(tmp_path: Path) -> Path:
    """A built dashboard."""
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>dashboard</title>")
    (folder / "assets" / "index-abc.js").write_text("1")
    return folder


def missing(response: httpx.Response, wanted: dict[str, str]) -> dict[str, str | None]:
    """What a response has in place of what it should have."""
    return {name: response.headers.get(name) for name, value in wanted.items() if response.headers.get(name) != value}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/graphql", 415),
        ("GET", "/graphql", 405),
        ("POST", "/v1/logs/upload", 401),
        ("POST", "/v1/session", 403),
        ("POST", "/v1/session/refresh", 403),
        ("DELETE", "/v1/session", 403),
        ("GET", "/v1/nothing", 404),
        ("GET", "/assets/nothing.js", 404),
        ("PATCH", "/v1/session", 405),
    ],
)
async def test_a_door_and_an_error_are_data_that_nobody_keeps_or_frames(
    start_script: StartScript, dashboard: Path, method: str, path: str, status: int
) -> None:
    async with start_script(dashboard_folder=dashboard) as script, httpx.AsyncClient(trust_env=False) as client:
        response = await client.request(method, script.gateway.url + path)

    assert response.status_code == status
    assert missing(response, DATA) == {}


async def test_an_answer_of_the_graph_is_data_too(start_script: StartScript) -> None:
    async with start_script() as script:
        response = await script.gateway.post("{ __typename }", token=script.token())

    assert missing(response, DATA) == {}


@pytest.mark.parametrize("path", ["/", "/tickets", "/assets/index-abc.js"])
async def test_a_page_and_a_file_have_them_with_the_policy_of_pages(
    start_script: StartScript, dashboard: Path, path: str
) -> None:
    async with start_script(dashboard_folder=dashboard) as script, httpx.AsyncClient(trust_env=False) as client:
        response = await client.get(script.gateway.url + path, headers={"accept": "text/html"})

    assert response.status_code == 200
    assert missing(response, EVERYWHERE) == {}
    assert "script-src 'self'" in response.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
    assert response.headers["cache-control"] != "no-store"


async def test_a_developer_without_https_is_not_told_to_use_it(start_script: StartScript, dashboard: Path) -> None:
    async with (
        start_script(dashboard_folder=dashboard, environment="development") as script,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        response = await client.get(script.gateway.url + "/", headers={"accept": "text/html"})

    assert "strict-transport-security" not in response.headers
