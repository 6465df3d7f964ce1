"""The headers that every answer of ours has, whether of a door, a page or an error: browsers obey them."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECURITY = {
    "x-content-type-options": "nosniff",
    # Nothing goes to other sites. `no-referrer` would also take the Origin off our own writes.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
HTTPS_ALONE = {"strict-transport-security": "max-age=31536000"}
NO_PAGE = {"content-security-policy": "default-src 'none'; frame-ancestors 'none'", "cache-control": "no-store"}
"""Of an answer that says nothing else of itself: it is data, shows nothing, and is kept by nobody."""


class SecureHeaders:
    """Puts them on what the application answers, where it has not put its own."""

    def __init__(self, app: ASGIApp, *, development: bool) -> None:
        self._app = app
        self._headers = SECURITY | NO_PAGE | ({} if development else HTTPS_ALONE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, answer)
