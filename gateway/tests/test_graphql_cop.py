"""The checks of graphql-cop (https://github.com/dolevf/graphql-cop), each as that tool decides it, over HTTP."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from gateway.testing.stack import Script

Asked = Callable[..., Awaitable[httpx.Response]]
Check = Callable[[Asked], Awaitable[bool]]
"""Whether the fault is found."""

CIRCLE = "query cop { __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }"
PAGES = ("/", "/graphql", "/graphiql", "/playground", "/console", "/altair", "/v1/graphiql", "/graphql/console")
MARKS = ("graphiql", "graphql playground", "graphql-playground", "altair", "apollo studio", "sandbox")


def body_of(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return {}


async def of_query(ask: Asked, query: str) -> dict[str, Any]:
    body = body_of(await ask("POST", json={"query": query}))
    return body if isinstance(body, dict) else {}


async def alias_overloading(ask: Asked) -> bool:
    body = await of_query(ask, "query cop { " + " ".join(f"alias{n}: __typename" for n in range(101)) + " }")
    return "alias100" in (body.get("data") or {})


async def array_based_batching(ask: Asked) -> bool:
    return isinstance(body_of(await ask("POST", json=[{"query": "query cop { __typename }"}] * 10)), list)


async def directive_overloading(ask: Asked) -> bool:
    body = await of_query(ask, "query cop { __typename " + "@aa" * 10 + " }")
    return len(body.get("errors", ())) >= 10


async def field_duplication(ask: Asked) -> bool:
    return bool((await of_query(ask, "query cop { " + "__typename " * 1_000 + "}")).get("data"))


async def circular_introspection(ask: Asked) -> bool:
    return bool((await of_query(ask, CIRCLE)).get("data"))


async def introspection(ask: Asked) -> bool:
    return bool((await of_query(ask, "query cop { __schema { types { name fields { name } } } }")).get("data"))


async def field_suggestions(ask: Asked) -> bool:
    found = [await of_query(ask, text) for text in ("query cop { __schema { directive } }", "{ tcket { id } }")]
    return "did you mean" in str(found).lower()


async def get_based_query(ask: Asked) -> bool:
    return "data" in body_of(await ask("GET", params={"query": "query cop { __typename }"}))


async def get_based_mutation(ask: Asked) -> bool:
    return "data" in body_of(await ask("GET", params={"query": "mutation cop { __typename }"}))


async def form_based_query(ask: Asked) -> bool:
    return "data" in body_of(await ask("POST", data={"query": "query cop { __typename }"}))


async def trace_mode(ask: Asked) -> bool:
    response = await ask(
        "POST",
        json={"query": "query cop { __typename }"},
        headers={"x-apollo-tracing": "1", "apollo-federation-include-trace": "ftv1"},
    )
    return bool({"tracing", "ftv1"} & set(body_of(response).get("extensions", {})))


async def unhandled_errors(ask: Asked) -> bool:
    answers = [await ask("POST", json={"query": text}) for text in ("qwerty cop { abc }", "query cop { abc(")]
    told = [str(answer.text).lower() for answer in answers]
    marks = ("exception", "traceback", "stacktrace", "site-packages", "debugmessage")
    return any(mark in text for mark in marks for text in told) or any(answer.status_code >= 500 for answer in answers)


async def graphical_pages(ask: Asked) -> bool:
    pages = [await ask("GET", path=path, headers={"accept": "text/html"}) for path in PAGES]
    return any(mark in page.text.lower() for page in pages for mark in MARKS)


CHECKS: tuple[Check, ...] = (
    alias_overloading,
    array_based_batching,
    directive_overloading,
    field_duplication,
    circular_introspection,
    introspection,
    field_suggestions,
    get_based_query,
    get_based_mutation,
    form_based_query,
    trace_mode,
    unhandled_errors,
    graphical_pages,
)


async def faults(script: Script, token: str = "") -> set[str]:
    """The names of the checks that find one."""

    async def ask(method: str, path: str = "/graphql", **more: Any) -> httpx.Response:
        headers = {**more.pop("headers", {}), **({"authorization": f"Bearer {token}"} if token else {})}
        return await script.gateway.client.request(method, script.gateway.url + path, headers=headers, **more)

    return {check.__name__ for check in CHECKS if await check(ask)}


@pytest.mark.parametrize("documents", ["trusted", "any"])
async def test_production_is_clean_for_strangers_and_people(start_script: Any, documents: str) -> None:
    async with start_script(documents=documents) as script:
        found = [await faults(script), await faults(script, script.token())]

    assert found == [set(), set()]


async def test_control_what_developers_are_given_is_found(start_script: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.limits.MAX_ALIASES", 1_000)
    monkeypatch.setattr("gateway.limits.MAX_DIRECTIVES", 1_000)
    async with start_script(environment="development") as script:
        found = await faults(script)

    assert found == {
        "alias_overloading",
        "directive_overloading",
        "introspection",
        "field_suggestions",
        "graphical_pages",
    }
