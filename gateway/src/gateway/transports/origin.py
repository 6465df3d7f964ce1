"""Which pages may speak to the gateway: those of its own origin. Programs send no origin."""

from starlette.datastructures import Headers


def from_own_pages(headers: Headers) -> bool:
    """Whether no page of another origin sent this; browsers say where a page is from, and no page can change that."""
    origin = headers.get("origin")
    return origin is None or origin.partition("://")[2].lower() == headers.get("host", "").lower()
