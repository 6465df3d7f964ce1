"""Who may call what, and what they get to see: one table per service, and what is not in it is refused."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from google.protobuf.message import Message

from chassis.errors import Forbidden, Unauthenticated
from chassis.identity import Call, Role, Viewer
from chassis.masking import Mask, Table


@dataclass(frozen=True)
class Rule:
    """Who may call one RPC: which services, and on whose behalf."""

    callers: frozenset[str]
    roles: frozenset[Role] = frozenset()
    scopes: frozenset[str] = frozenset()
    anonymous: bool = False
    any_user: bool = False
    background: bool = False

    def admits(self, viewer: Viewer | None) -> bool:
        """Whether a call for this viewer passes; None is nobody, or the calling service's own work."""
        if self.anonymous:
            return True
        if viewer is None:
            return self.background
        if viewer.kind == "service_account":
            return not self.scopes.isdisjoint(viewer.scopes)
        return self.any_user or viewer.role in self.roles


def allow(
    *callers: str,
    roles: Iterable[Role] = (),
    scopes: Iterable[str] = (),
    any_user: bool = False,
    anonymous: bool = False,
    background: bool = False,
) -> Rule:
    """The rule of one RPC: which services may call it, and for whom.

    For people of these roles (`any_user`: of any, or none), for machines with one of these scopes, for everybody
    (`anonymous`: log-in and the like), or as the calling service's own work (`background`).
    """
    return Rule(frozenset(callers), frozenset(roles), frozenset(scopes), anonymous, any_user, background)


class Policy:
    """The table of one service, and the mask through which every answer leaves it."""

    def __init__(
        self,
        rules: Mapping[str, Rule],
        mask: Callable[[Call, Message], Message],
        others: Mapping[str, Callable[[Call, Message], Message]] | None = None,
    ) -> None:
        self.rules = dict(rules)
        self._mask = mask
        self._others = dict(others or {})

    def with_service(self, rules: Mapping[str, Rule], table: Table) -> Self:
        """The table with the RPCs and fields of something that every service offers."""
        mask = Mask(table)
        return type(self)({**self.rules, **rules}, self._mask, {**self._others, **dict.fromkeys(rules, mask)})

    def authorize(self, call: Call) -> None:
        """Pass, or refuse.

        Raises:
            Unauthenticated: somebody has to log in first.
            Forbidden: this caller may not, or the RPC has no rule.
        """
        rule = self.rules.get(call.method)
        if rule is None or call.caller not in rule.callers:
            raise Forbidden(f"{call.caller} may not call {call.method}", operation=call.method)
        if rule.admits(call.viewer):
            return
        if call.viewer is None:
            raise Unauthenticated("log in first")
        raise Forbidden(operation=call.method)

    def mask(self, call: Call, message: Message) -> Message:
        """The message as this call's viewer may see it."""
        return self._others.get(call.method, self._mask)(call, message)
