"""The built dashboard: its files, and its one page at every other address."""

import hashlib
import os
import re
from http import HTTPStatus
from mimetypes import guess_type
from pathlib import Path

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Scope

from chassis.settings import SettingsInvalid

INDEX = "index.html"
ASSETS = "assets"
NO_PAGE_BENEATH = frozenset({ASSETS, "v1", "graphql", "graphiql"})
"""First parts of paths at which somebody wants a file or a door, and would be misled by a page."""

PACKED = {"br": ".br", "gzip": ".gz"}
"""Encodings that the build writes beside a file, the smallest first."""
NEVER = re.compile(r"q=0(\.0*)?")
"""The weight of an encoding that a client does not take."""

TYPES = {".js": "text/javascript", ".woff2": "font/woff2"}
"""What machines disagree about."""

# The component library sets styles on elements; scripts come from files alone.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
    "img-src 'self' data:; font-src 'self'; manifest-src 'self'; worker-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
FOREVER = "public, max-age=31536000, immutable"
ASK_EACH_TIME = "no-cache"


class Pages(StaticFiles):
    """Serves the dashboard."""

    def __init__(self, folder: Path) -> None:
        """Serve this folder.

        Raises:
            SettingsInvalid: there is no dashboard in it.
        """
        if not (folder / INDEX).is_file():
            raise SettingsInvalid(
                f"GATEWAY_DASHBOARD_FOLDER is {folder}, and there is no {INDEX} in it; build the dashboard with "
                "`make dashboard` and give its folder dashboard/dist, or leave the setting empty for no pages"
            )
        super().__init__(directory=folder)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file; for a browser that wants a page, the one page, whose script knows what to show there."""
        parts = path.split("/")
        if any(part.startswith(".") for part in parts if part != ".") or path.endswith(tuple(PACKED.values())):
            raise HTTPException(HTTPStatus.NOT_FOUND)
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            no_page = parts[0] in NO_PAGE_BENEATH
            if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED and no_page:
                raise HTTPException(HTTPStatus.NOT_FOUND) from error
            accepted = Headers(scope=scope).get("accept", "")
            if error.status_code != HTTPStatus.NOT_FOUND or no_page or not (path == "." or "text/html" in accepted):
                raise
            response = await super().get_response(INDEX, scope)
        response.headers["content-security-policy"] = CONTENT_SECURITY_POLICY
        return response

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """The file, packed as the client likes it; or that it has it already."""
        asked, path = Headers(scope=scope), Path(full_path)
        hashed_name = path.parent.name == ASSETS
        headers = {"cache-control": FOREVER if hashed_name else ASK_EACH_TIME, "vary": "accept-encoding"}
        if not hashed_name:
            # By default a tag is made of time and size, which two builds of one page may share: names of assets in it
            # are all equally long, and images are built with times cut off.
            headers["etag"] = f'"{hashlib.sha256(path.read_bytes()).hexdigest()[:32]}"'
        media_type = TYPES.get(path.suffix) or guess_type(path)[0]
        encoding = next((name for name in _accepted(asked) if path.with_name(path.name + PACKED[name]).is_file()), None)
        if encoding is not None:
            path = path.with_name(path.name + PACKED[encoding])
            headers["content-encoding"] = encoding
            stat_result = path.stat()
        response = FileResponse(path, status_code, headers, media_type, stat_result=stat_result)
        return NotModifiedResponse(response.headers) if self.is_not_modified(response.headers, asked) else response


def _accepted(headers: Headers) -> list[str]:
    """The encodings of ours that the client takes, the smallest first."""
    given: dict[str, str] = {}
    for part in headers.get("accept-encoding", "").split(","):
        name, _, weight = part.partition(";")
        given[name.strip().lower()] = weight.replace(" ", "")
    return [name for name in PACKED if not NEVER.fullmatch(given.get(name, "q=0"))]
