"""GraphiQL for developers, from files that the gateway serves itself: no browser asks another host for anything."""

import importlib.util
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

_OWN_FILES = Path(__file__).parent / "static"
PACKAGE = "graphene_django_graphiql_static"

# The editor sets styles on elements; scripts come from files alone.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def graphiql_routes() -> list[BaseRoute]:
    """The page at GET /graphql, and its files.

    Raises:
        LookupError: the wheel with GraphiQL's files is not installed.
    """
    page = (_OWN_FILES / "graphiql.html").read_text()
    static = StaticFiles(directory=_OWN_FILES)
    static.all_directories = [_OWN_FILES, _library()]

    async def show(request: Request) -> Response:
        if request.query_params.get("query") is not None:
            return PlainTextResponse("operations are sent by POST", 405, {"allow": "POST"})
        return HTMLResponse(page, headers={"content-security-policy": CONTENT_SECURITY_POLICY})

    return [Route("/graphql", show, methods=["GET"]), Mount("/graphiql/static", static)]


def _library() -> Path:
    """Where the wheel's files lie. It is found, not imported: importing it would want Django."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise LookupError(f"the package {PACKAGE} is not installed; install the locked requirements")
    return Path(spec.submodule_search_locations[0]) / "static" / PACKAGE
