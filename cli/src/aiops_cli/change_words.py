"""What history says, in words: events, fields, values, and who did it. Of JSON as the graph has it."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

EVENTS = {
    "Genesis": "The history begins here",
    "Resumed": "Changed while changes were not recorded",
    "Erased": "Personal values erased",
}
NOISE = frozenset({"updated_at", "triage_requested_at", "version"})
LONGEST = 200
CONFLICT = """
... on VersionConflict {
  changesSince {
    version changedAt event reason changedBy { displayName } changedByActor { kind id }
    operations { op path value previous }
  }
}
"""
"""What a mutation selects of a conflict, so that `told` can tell it."""


def event(name: str) -> str:
    """What happened: `TicketStatusUpdated` is `Status updated`."""
    if name in EVENTS:
        return EVENTS[name]
    bare = re.sub(r"^(Ticket|Log|Changelog|User)(?=[A-Z])", "", name)
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", bare).capitalize()


def who(change: Mapping[str, Any]) -> str:
    """Who did it, by name where it is a person."""
    actor = change["changedByActor"]
    if change["changedBy"]:
        return str(change["changedBy"]["displayName"])
    return "somebody" if actor["kind"] == "USER" else f"{actor['kind'].lower().replace('_', ' ')} {actor['id']}"


def field(path: str) -> str:
    """A document's field, or a part of one: `/category/key` is `category`."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]
    return " ".join(part.replace("_", " ") for part in parts if part != "key")


def value(given: Any) -> str:
    """A value; what is not there any more says so."""
    if given is None or given in ("", []):
        return "nothing"
    if isinstance(given, dict) and given.get("erased") is True:
        return "erased for good"
    if isinstance(given, dict) and "$sealed" in given:
        return "sealed"
    if isinstance(given, dict) and "key" in given:
        return value(given["key"])
    text = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def steps(operations: Iterable[Mapping[str, Any]]) -> list[str]:
    """What a change did, a line for each field, without what moves with every change."""
    lines = []
    for each in operations:
        if each["path"].split("/")[1] in NOISE:
            continue
        name, after = field(each["path"]), value(each["value"])
        if each["op"] == "add":
            lines.append(f"{name}: {after}")
        elif each["op"] == "remove":
            lines.append(f"{name}: {value(each['previous'])} taken away")
        else:
            lines.append(f"{name}: {value(each['previous'])} → {after}")
    return lines


def told(changes: Iterable[Mapping[str, Any]]) -> list[str]:
    """Changes with what they did, in lines."""
    lines = []
    for change in changes:
        reason = change["reason"].partition(": ")[2]
        at = change["changedAt"].replace("T", " ")[:19]
        why = f" ({reason})" if reason else ""
        lines.append(f"version {change['version']}  {at}  {event(change['event'])} by {who(change)}{why}")
        lines += [f"    {step}" for step in steps(change["operations"])]
    return lines
