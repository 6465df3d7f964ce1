"""What has a version and can be read by its id, whichever service owns it."""

from typing import TYPE_CHECKING, Any

from gateway.graph.auth import User, load_user

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from strawberry.dataloader import DataLoader

    from gateway.context import Info
    from gateway.graph.changelog import Changelog
    from gateway.graph.logs import Log
    from gateway.graph.tickets import Ticket


async def load(info: "Info", kind: str, id_: str, *, anew: bool = False) -> "Ticket | Log | Changelog | User | None":
    """The thing as this caller may see it; None for nothing, and for kinds that are not read by id.

    `anew`: also when another mutation of the same document has read it before.
    """
    loads: dict[str, tuple[DataLoader[str, Any], Callable[[Info, str], Awaitable[Any]]]] = {
        "log": (info.context.logs.logs, logs.load_log),
        "ticket": (info.context.tickets.tickets, tickets.load_ticket),
        "changelog": (info.context.changelog.changelogs, changelog.load_changelog),
        "user": (info.context.auth.users, load_user),
    }
    if kind not in loads or not id_:
        return None
    loader, load_one = loads[kind]
    if anew:
        loader.clear_all()
    thing: Ticket | Log | Changelog | User | None = await load_one(info, id_)
    return thing


from gateway.graph import changelog, logs, tickets  # noqa: E402 - they have edges among their fields
