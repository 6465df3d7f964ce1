"""GraphiQL for developers: complete, from our own files, and not in production."""

import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from gateway.testing.stack import Script

StartScript = Callable[..., AbstractAsyncContextManager[Script]]


async def test_page_and_all_its_files_come_from_the_gateway(start_script: StartScript) -> None:
    async with start_script(environment="development") as script:
        client, url = script.gateway.client, script.gateway.url

        page = await client.get(f"{url}/graphql", headers={"accept": "text/html"})
        files = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        answers = {file: await client.get(f"{url}{file}") for file in files}

    assert page.status_code == 200
    assert "//" not in page.text
    assert sorted(file.rpartition("/")[2] for file in files) == [
        "graphiql.min.css",
        "graphiql.min.js",
        "graphql-ws.min.js",
        "page.css",
        "page.js",
        "react-dom.production.min.js",
        "react.production.min.js",
    ]
    assert {answer.status_code for answer in answers.values()} == {200}
    assert min(len(answer.content) for answer in answers.values()) > 50


async def test_policy_allows_no_other_host_and_no_inline_script(start_script: StartScript) -> None:
    async with start_script(environment="development") as script:
        page = await script.gateway.client.get(f"{script.gateway.url}/graphql")

    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["connect-src"] == "'self'"
    assert not re.search(r"https?:|\*", page.headers["content-security-policy"])
    assert "<script>" not in page.text


async def test_files_beside_the_page_are_not_served(start_script: StartScript) -> None:
    async with start_script(environment="development") as script:
        for path in ("../app.py", "%2e%2e/app.py", "..%2fapp.py", "schema.graphql", ""):
            answer = await script.gateway.client.get(f"{script.gateway.url}/graphiql/static/{path}")
            assert answer.status_code == 404, path


async def test_developers_may_introspect_without_a_token(start_script: StartScript) -> None:
    async with start_script(environment="development") as script:
        data = await script.gateway.data("{ __schema { queryType { name } } _service { sdl } }")

    assert data["__schema"] == {"queryType": {"name": "Query"}}
    assert 'type Log @key(fields: "id")' in data["_service"]["sdl"]


async def test_production_has_no_page(script: Script) -> None:
    client, url = script.gateway.client, script.gateway.url

    assert (await client.get(f"{url}/graphql", headers={"accept": "text/html"})).status_code == 405
    for path in ("/graphiql/static/graphiql.min.js", "/docs", "/redoc", "/openapi.json"):
        assert (await client.get(f"{url}{path}")).status_code == 404
