"""The built dashboard, as browsers get it: from the gateway, and from a process that serves nothing else."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from chassis.settings import SettingsInvalid
from gateway.app import build
from gateway.pages_process import PagesProcess, PagesSettings, build_pages
from gateway.settings import GatewaySettings
from gateway.testing.stack import Script

StartScript = Callable[..., AbstractAsyncContextManager[Script]]

INDEX = "<!doctype html><title>dashboard</title>"
SCRIPT = "console.log('of the dashboard')"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
    "img-src 'self' data:; font-src 'self'; manifest-src 'self'; worker-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
A_PAGE = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def dashboard(tmp_path: Path) -> Path:
    """A built dashboard, with a secret beside it."""
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(INDEX)
    (folder / "theme.js").write_text("1")
    (folder / ".installed").write_text("secret")
    (folder / "assets" / "index-abc.js").write_text(SCRIPT)
    (folder / "assets" / "index-abc.js.br").write_bytes(b"packed by brotli")
    (folder / "assets" / "index-abc.js.gz").write_bytes(b"packed by gzip")
    (folder / "assets" / "font-abc.woff2").write_bytes(b"font")
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "assets" / "outside.txt").symlink_to(tmp_path / "secret.txt")
    return folder


@asynccontextmanager
async def serving(dashboard: Path, environment: str = "production") -> AsyncIterator[httpx.AsyncClient]:
    settings = PagesSettings(
        environment=environment,
        dashboard_folder=dashboard,
        http_listen="127.0.0.1:0",
        operations_listen="127.0.0.1:0",
        drain_seconds=0.0,
    )
    process = build_pages(settings)
    await process.start()
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{process.http_port}", trust_env=False) as client:
            yield client
    finally:
        await process.stop()


async def get(client: httpx.AsyncClient, path: str, **headers: str) -> tuple[httpx.Response, bytes]:
    """A GET with these headers alone, names written with underscores; the body as it was sent."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    request = client.build_request("GET", path, headers={"accept": "*/*", "accept-encoding": "identity", **given})
    response = await client.send(request, stream=True)
    return response, b"".join([piece async for piece in response.aiter_raw()])


@pytest.mark.parametrize("path", ["/", "/index.html", "/tickets", "/logs/0198c0de-0000-7000-8000-000000000001?from=x"])
async def test_every_address_of_the_dashboard_is_its_page(dashboard: Path, path: str) -> None:
    async with serving(dashboard) as client:
        response = await client.get(path, headers=A_PAGE)

    assert (response.status_code, response.text) == (200, INDEX)
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"


async def test_page_may_load_from_its_own_origin_alone(dashboard: Path) -> None:
    async with serving(dashboard) as client:
        response = await client.get("/login", headers=A_PAGE)

    expected = {
        "content-security-policy": POLICY,
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "strict-transport-security": "max-age=31536000",
    }
    assert {name: response.headers.get(name) for name in expected} == expected


async def test_development_binds_no_browser_to_https(dashboard: Path) -> None:
    async with serving(dashboard, "development") as client:
        response = await client.get("/", headers=A_PAGE)

    assert response.headers["content-security-policy"] == POLICY
    assert "strict-transport-security" not in response.headers


@pytest.mark.parametrize(
    ("accepted", "encoding", "body"),
    [
        ("gzip, deflate, br, zstd", "br", "packed by brotli"),
        ("gzip;q=1.0, br;q=0", "gzip", "packed by gzip"),
        ("br; q=0.000, gzip; q=0", None, SCRIPT),
        ("identity", None, SCRIPT),
    ],
)
async def test_asset_is_kept_for_ever_and_comes_packed(
    dashboard: Path, accepted: str, encoding: str | None, body: str
) -> None:
    async with serving(dashboard) as client:
        response, sent = await get(client, "/assets/index-abc.js", accept_encoding=accepted)

    assert (response.status_code, sent.decode()) == (200, body)
    assert response.headers.get("content-encoding") == encoding
    assert response.headers["content-length"] == str(len(body))
    assert response.headers["content-type"] == "text/javascript; charset=utf-8"
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert response.headers["vary"] == "accept-encoding"


async def test_packings_of_one_file_have_tags_of_their_own(dashboard: Path) -> None:
    async with serving(dashboard) as client:
        tags = {
            (await get(client, "/assets/index-abc.js", accept_encoding=encoding))[0].headers["etag"]
            for encoding in ("br", "gzip", "identity")
        }

    assert len(tags) == 3


async def test_file_without_packings_comes_as_it_is(dashboard: Path) -> None:
    async with serving(dashboard) as client:
        font, font_bytes = await get(client, "/assets/font-abc.woff2", accept_encoding="br, gzip")
        theme, theme_bytes = await get(client, "/theme.js", accept_encoding="br, gzip")

    assert (font_bytes, font.headers["content-type"]) == (b"font", "font/woff2")
    assert (theme_bytes, theme.headers["cache-control"]) == (b"1", "no-cache")
    assert "content-encoding" not in {**font.headers, **theme.headers}


@pytest.mark.parametrize(
    "path",
    [
        "/assets/index-old.js",
        "/assets",
        "/assets/",
        "/assets/index-abc.js.br",
        "/assets/outside.txt",
        "/v1/unknown",
        "/v1",
        "/graphql",
        "/.installed",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/%2fetc%2fpasswd",
        "/%00",
    ],
)
async def test_what_is_no_file_of_ours_is_not_there(dashboard: Path, path: str) -> None:
    async with serving(dashboard) as client:
        host = urlsplit(str(client.base_url))
        # By hand: a client would tidy the path up.
        reader, writer = await asyncio.open_connection(host.hostname, host.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nAccept: image/png\r\nConnection: close\r\n\r\n".encode())
        answer = (await reader.read()).decode()
        writer.close()
        page = await client.get(path, headers=A_PAGE) if path.startswith(("/assets", "/v1", "/graphql")) else None

    assert answer.startswith("HTTP/1.1 404 ")
    assert "secret" not in answer.partition("\r\n\r\n")[2]
    assert page is None or page.status_code == 404


async def test_only_a_browser_that_wants_a_page_gets_one(dashboard: Path) -> None:
    async with serving(dashboard) as client:
        image = await client.get("/logo.png", headers={"accept": "image/*"})
        written = [(await client.post(path)).status_code for path in ("/tickets", "/v1/unknown")]

    assert image.status_code == 404
    assert written == [405, 404]


async def test_head_is_the_head_of_get(dashboard: Path) -> None:
    async with serving(dashboard) as client:
        for path in ("/", "/tickets", "/assets/index-abc.js"):
            got, _ = await get(client, path, **A_PAGE)
            head = await client.head(path, headers={**A_PAGE, "accept-encoding": "identity"})

            own = {"date", "x-aiops-trace-id"}
            assert (head.status_code, head.content) == (200, b"")
            assert {k: v for k, v in head.headers.items() if k not in own} == {
                k: v for k, v in got.headers.items() if k not in own
            }


async def test_page_that_is_known_is_not_sent_again(dashboard: Path) -> None:
    async with serving(dashboard) as client:
        first = await client.get("/tickets", headers=A_PAGE)
        known = await client.get("/logs", headers={**A_PAGE, "if-none-match": first.headers["etag"]})

    assert (known.status_code, known.content) == (304, b"")
    assert known.headers["etag"] == first.headers["etag"]
    assert known.headers["content-security-policy"] == POLICY


async def test_next_build_of_equal_size_and_time_is_sent(dashboard: Path) -> None:
    page = dashboard / "index.html"
    os.utime(page, (1_000_000_000, 1_000_000_000))
    async with serving(dashboard) as client:
        first = await client.get("/", headers=A_PAGE)
        page.write_text(INDEX.replace("dashboard", "dashbOard"))
        os.utime(page, (1_000_000_000, 1_000_000_000))
        second = await client.get("/", headers={**A_PAGE, "if-none-match": first.headers["etag"]})

    assert (second.status_code, second.text) == (200, INDEX.replace("dashboard", "dashbOard"))


async def test_part_of_a_file(dashboard: Path) -> None:
    async with serving(dashboard) as client:
        response, sent = await get(client, "/assets/index-abc.js", range="bytes=0-6")

    assert (response.status_code, sent) == (206, b"console")


async def test_gateway_serves_pages_beside_its_doors(start_script: StartScript, dashboard: Path) -> None:
    async with start_script(dashboard_folder=dashboard) as script:
        client, url = script.gateway.client, script.gateway.url
        page = await client.get(f"{url}/tickets", headers=A_PAGE)
        asset = await client.get(f"{url}/assets/index-abc.js", headers={"accept-encoding": "identity"})
        data = await script.gateway.ask("{ __typename }")
        statuses = {
            path: (await client.get(f"{url}{path}", headers=A_PAGE)).status_code
            for path in ("/graphql", "/v1/session", "/v1/unknown", "/assets/unknown.js", "/graphiql/static/page.js")
        }

    assert (page.text, asset.text) == (INDEX, SCRIPT)
    assert data["data"] == {"__typename": "Query"}
    assert statuses == {
        "/graphql": 405,
        "/v1/session": 405,
        "/v1/unknown": 404,
        "/assets/unknown.js": 404,
        "/graphiql/static/page.js": 404,
    }


async def test_developers_keep_graphiql(start_script: StartScript, dashboard: Path) -> None:
    async with start_script(dashboard_folder=dashboard, environment="development") as script:
        page = await script.gateway.client.get(f"{script.gateway.url}/graphql", headers=A_PAGE)

    assert page.status_code == 200
    assert "graphiql" in page.text


async def test_without_a_folder_there_are_no_pages(script: Script) -> None:
    for path in ("/", "/tickets"):
        assert (await script.gateway.client.get(f"{script.gateway.url}{path}", headers=A_PAGE)).status_code == 404


def test_folder_without_a_dashboard_is_refused_with_advice(settings: GatewaySettings, tmp_path: Path) -> None:
    advice = r"GATEWAY_DASHBOARD_FOLDER is .*/nowhere, .* build the dashboard with `make dashboard` and give its folder"

    with pytest.raises(SettingsInvalid, match=advice):
        build(settings.model_copy(update={"dashboard_folder": tmp_path / "nowhere"}))
    with pytest.raises(SettingsInvalid, match=advice):
        build_pages(PagesSettings(dashboard_folder=tmp_path / "nowhere"))
    with pytest.raises(
        SettingsInvalid, match=r"GATEWAY_DASHBOARD_FOLDER is not set, .* build the dashboard with `make"
    ):
        build_pages(PagesSettings())


@pytest.fixture
def settings(script: Script) -> GatewaySettings:
    """A gateway's settings that are good."""
    return script.gateway.gateway.settings


async def test_pages_are_not_ready_without_their_files(dashboard: Path) -> None:
    settings = PagesSettings(
        dashboard_folder=dashboard, http_listen="127.0.0.1:0", operations_listen="127.0.0.1:0", drain_seconds=0.0
    )
    process: PagesProcess = build_pages(settings)
    (dashboard / "index.html").unlink()
    await process.start()
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            response = await client.get(f"http://127.0.0.1:{process.operations_port}/readyz")
    finally:
        await process.stop()

    assert response.status_code == 503
    assert "is gone; build the dashboard again" in response.json()["checks"]["pages"]


def test_pages_need_neither_keys_nor_services_nor_nats(dashboard: Path) -> None:
    ports = [free_port(), free_port()]
    environment = {
        "GATEWAY_DASHBOARD_FOLDER": str(dashboard),
        "GATEWAY_HTTP_LISTEN": f"127.0.0.1:{ports[0]}",
        "GATEWAY_OPERATIONS_LISTEN": f"127.0.0.1:{ports[1]}",
        "AIOPS_NATS_URL": "nats://127.0.0.1:1",
        "AIOPS_DRAIN_SECONDS": "0",
    }
    with pages_process(environment, "pages") as process, httpx.Client(trust_env=False) as client:
        ready = eventually(lambda: client.get(f"http://127.0.0.1:{ports[1]}/readyz"))
        page = client.get(f"http://127.0.0.1:{ports[0]}/tickets", headers=A_PAGE)
        metrics = client.get(f"http://127.0.0.1:{ports[1]}/metrics")
        process.send_signal(signal.SIGTERM)
        code = process.wait(10)

    assert (ready.status_code, ready.json()["checks"]) == (200, {"pages": "ok"})
    assert page.text == INDEX
    assert "aiops_ready" in metrics.text
    assert code == 0


@pytest.mark.parametrize("arguments", [("page",), ("pages", "serve")])
def test_unknown_role_says_how_it_is_used(arguments: tuple[str, ...]) -> None:
    with pages_process({}, *arguments) as process:
        _, says = process.communicate(timeout=20)

    assert process.returncode == 1
    assert says == "usage: python -m gateway [pages]   (pages: the files of the dashboard alone)\n"


@contextmanager
def pages_process(environment: Mapping[str, str], *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway", *arguments],
        env={"PATH": os.environ["PATH"], **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def eventually(ask: Callable[[], httpx.Response], seconds: float = 20.0) -> httpx.Response:
    until = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except httpx.TransportError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
