"""What people see of tickets, and of what changed before them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from aiops_cli.render import clock, inert, many, severity

STATUS_STYLE = {"OPEN": "yellow", "IN_PROGRESS": "cyan", "WAITING": "magenta", "RESOLVED": "green", "CLOSED": "dim"}
PRIORITY_STYLE = {"urgent": "bold red", "critical": "bold red", "high": "red", "low": "dim"}
NOTE_CHARACTERS = 200
TABLE_WIDTH = 150
"""Columns from which there is room for titles beside ids and all that triage says."""


def _hanging(*columns: Text) -> Table:
    """One line whose last column wraps below itself."""
    line = Table.grid(padding=(0, 2, 0, 0))
    for _ in columns[:-1]:
        line.add_column(no_wrap=True)
    line.add_column(overflow="fold")
    line.add_row(*columns)
    return line


def _block(text: str, indent: int) -> RenderableType:
    """A text of several lines, moved to the right."""
    return Padding(Text(inert(text.strip())), (0, 0, 0, indent), expand=False)


def person(user: Mapping[str, Any] | None) -> str:
    """A user as people call him."""
    return inert(user["displayName"] or user["email"]) if user else ""


def word(name: str | None) -> str:
    """A value of an enum as people read it; the graph has null for one that it does not know."""
    return (name or "unknown").lower().replace("_", "-")


def _status(name: str | None) -> Text:
    return Text(word(name), style=STATUS_STYLE.get(name or "", ""))


def _priority(key: str | None) -> Text:
    return Text(inert(key or ""), style=PRIORITY_STYLE.get(key or "", ""))


def _note(ticket: Mapping[str, Any]) -> str:
    """What else somebody who looks through a list has to know."""
    if ticket["peopleSuspected"]:
        return "hr decides"
    if ticket["audience"] == "PEOPLE":
        return "hr only"
    return {"PENDING": "triage runs", "FAILED": "triage failed"}.get(ticket["triageState"], "")


def table(nodes: Iterable[Mapping[str, Any]], width: int) -> RenderableType:
    """Tickets in their order; a narrow terminal gets each on a few lines."""
    if width < TABLE_WIDTH:
        return Group(*(line for ticket in nodes for line in _narrow(ticket)))
    made = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("id", "title", "status", "priority", "category", "team", "assignee", "", "created"):
        made.add_column(column, no_wrap=column in {"id", "created", "status"}, overflow="fold")
    for ticket in nodes:
        made.add_row(
            ticket["id"],
            Text(inert(ticket["title"])),
            _status(ticket["status"]),
            _priority(ticket["priority"]),
            Text(inert(ticket["category"] or "")),
            Text(inert(ticket["team"] or "")),
            Text(person(ticket["assignee"])),
            Text(_note(ticket), style="yellow"),
            clock(ticket["createdAt"]),
        )
    return made


def _narrow(ticket: Mapping[str, Any]) -> Iterable[Text]:
    yield Text(f"{ticket['id']}  {clock(ticket['createdAt'])}  ") + _status(ticket["status"])
    yield Text.assemble("    ", (inert(ticket["title"]), "bold"))
    parts = [_priority(ticket["priority"]), Text(inert(ticket["category"] or "")), Text(inert(ticket["team"] or ""))]
    if ticket["service"]:
        parts.append(Text(f"of {inert(ticket['service'])}"))
    if ticket["assignee"]:
        parts.append(Text(f"for {person(ticket['assignee'])}"))
    parts.append(Text(_note(ticket), style="yellow"))
    known = [part for part in parts if part]
    if known:
        yield Text("    ") + Text(", ").join(known)


def missing_parts(missing: Sequence[str]) -> Iterable[Text]:
    """What an answer lacks, and why."""
    for line in missing[:5]:
        yield Text(inert(line), style="yellow")
    if len(missing) > 5:  # noqa: PLR2004 - the rest says the same
        yield Text(f"and {len(missing) - 5} more parts", style="yellow")


def whole(ticket: Mapping[str, Any], missing: Sequence[str]) -> Iterable[RenderableType]:
    """All that a command fetched of one ticket."""
    yield Text.assemble((inert(ticket["title"]), "bold"), "  ", ticket["id"])
    facts = [_status(ticket["status"]), *(Text(part) for part in _facts(ticket))]
    yield Text(", ").join(facts)
    yield from _people(ticket, missing)
    if ticket["description"]:
        yield Text("")
        yield _block(ticket["description"], 2)
    yield Text("")
    yield from triage(ticket)
    if "logs" in ticket:
        yield from _around(ticket)
    yield from missing_parts(missing)


def _facts(ticket: Mapping[str, Any]) -> Iterable[str]:
    if ticket["service"]:
        yield f"of {inert(ticket['service'])}"
    if _note(ticket):
        yield _note(ticket)
    origin = f"by {inert(ticket['source'])}" if ticket["source"] else ""
    reference = f" as {inert(ticket['externalReference'])}" if ticket["externalReference"] else ""
    yield f"came {clock(ticket['createdAt'])} UTC {origin}{reference}".rstrip()
    yield f"version {ticket['version']}"


def _people(ticket: Mapping[str, Any], missing: Sequence[str]) -> Iterable[Text]:
    """Who told of it and who works on it; nobody is not said of somebody who could not be read."""
    unread = {name for name in ("reporter", "assignee") if any(line.startswith(f"ticket.{name}") for line in missing)}
    reporter = ticket["reporter"] or {}
    outside = " ".join(inert(part) for part in (reporter.get("externalName"), reporter.get("externalEmail")) if part)
    told = person(reporter.get("user")) or outside
    doing = person(ticket["assignee"]) or (
        "not known just now" if "assignee" in unread else "nobody; take it: aiops tickets assign ID me"
    )
    yield Text.assemble(("reporter  ", "dim"), told or ("not known just now" if "reporter" in unread else "unknown"))
    yield Text.assemble(("assignee  ", "dim"), doing.replace(" ID ", f" {ticket['id']} "))


def triage(ticket: Mapping[str, Any]) -> Iterable[Text]:
    """What the ticket is, how sure triage was, and below each answer the words that it rests on."""
    decision = ticket["triage"]
    if decision is None:
        yield Text.assemble(("Triage", "bold"), (f"  {word(ticket['triageState'])}", "dim"))
    else:
        engine = f"  by the {inert(decision['engine']).lower()} engine"
        note = f", since the model failed: {inert(decision['fallbackReason'])}" if decision["fallbackReason"] else ""
        yield Text.assemble(("Triage", "bold"), (engine + note, "dim"))
    for name in ("category", "priority", "team"):
        yield from _choice(name, ticket, decision)
    unknown = [f" --{name} KEY" for name in ("category", "priority", "team") if not ticket[name]]
    if decision and unknown:
        yield Text(f"  decide: aiops tickets update {ticket['id']}{''.join(unknown)}", style="dim")
    if decision and decision["peopleSuspected"]:
        yield Text("  looks like a matter for hr", style="yellow")
        yield from _reasons(decision["peopleReasons"])


def _choice(name: str, ticket: Mapping[str, Any], decision: Mapping[str, Any] | None) -> Iterable[Text]:
    value = inert(ticket[name] or "")
    said = decision[name] if decision else None
    if ticket[f"{name}Source"] == "PERSON":
        says = f", triage says {inert(said['value'])}" if said and said["value"] not in {None, ticket[name]} else ""
        yield Text.assemble(f"  {name:<9} ", (f"{value:<16}", "bold"), (f" set by a person{says}", "dim"))
    elif value:
        sure = f" {said['confidence']:.0%} sure" if said and said["value"] == ticket[name] else ""
        yield Text.assemble(f"  {name:<9} ", (f"{value:<16}", "bold"), (sure, "dim"))
    else:
        yield Text.assemble(f"  {name:<9} ", ("uncertain" if said else "undecided", "yellow"))
    if said:
        yield from _reasons(said["reasons"])


def _reasons(reasons: Iterable[Mapping[str, Any]]) -> Iterable[Text]:
    for reason in reasons:
        quote = " ".join(inert(reason["quote"]).split())
        explanation = inert(reason["explanation"])
        where = word(reason["field"])
        yield Text.assemble(("    └ ", "dim"), (f"{where:<8} ", "dim"), f'"{quote}"', (f"  {explanation}", "dim"))


def _around(ticket: Mapping[str, Any]) -> Iterable[RenderableType]:
    """Comments, logs, similar tickets and the changes before; nothing where there are none, or none could be read."""
    comments = ticket["comments"] or {"edges": [], "pageInfo": {"hasNextPage": False}}
    if comments["edges"]:
        yield Text("\nComments", style="bold")
    for edge in comments["edges"]:
        comment = edge["node"]
        who = person(comment["author"]) or word(comment["authorActor"]["kind"])
        internal = "  internal" if comment["internal"] else ""
        yield Text.assemble("  ", who, (f"  {clock(comment['createdAt'])}{internal}", "dim"))
        yield _block(comment["body"], 4)
    if comments["pageInfo"]["hasNextPage"]:
        yield Text("  and more", style="dim")
    if ticket["logs"]:
        yield Text("\nLogs", style="bold")
    for log in ticket["logs"] or ():
        records = f"  {many(log['recordCount'], 'record')}"
        worst = severity(log["severity"])
        yield Text.assemble("  ", log["id"], "  ", worst, " " if worst else "", inert(log["name"]), (records, "dim"))
    if ticket["similar"]:
        yield Text("\nSimilar tickets", style="bold")
    for each in ticket["similar"] or ():
        words = ", ".join(inert(word) for word in each["sharedWords"])
        other = each["ticket"]
        yield Text(f"  {other['id']}  {each['similarity']:.0%}")
        said = Text.assemble(inert(other["title"]), (f"\nboth say: {words}" if words else "", "dim"))
        yield Padding(said, (0, 0, 0, 4), expand=False)
    if ticket["changesBefore"]:
        yield Text("\nChanges in the 24 hours before", style="bold")
        yield from changes(ticket["changesBefore"])


def changes(before: Mapping[str, Any]) -> Iterable[RenderableType]:
    """Deployments and commits, newest first."""
    if not before["changes"]:
        start = clock(before["windowStart"])
        yield Text(f"  none is known from {start} to {clock(before['before'])} UTC", style="dim")
    for each in before["changes"]:
        change = each["change"]
        at = Text(f"  {clock(each['at'])}", style="dim")
        if change is None:
            continue
        if change["__typename"] == "Deployment":
            what = f"{inert(change['service'])} {inert(change['deployed'])} went live in {inert(change['environment'])}"
            yield _hanging(at, Text("deployment", style="cyan"), Text(what))
        else:
            author = f"  {inert(change['authorName'])}" if change["authorName"] else ""
            what = inert(change["subject"])[:NOTE_CHARACTERS]
            yield _hanging(at, Text(change["sha"][:10], style="yellow"), Text.assemble(what, (author, "dim")))
    if before["truncated"]:
        yield Text("  and earlier ones", style="dim")


def options(found: Sequence[Mapping[str, Any]]) -> Iterable[RenderableType]:
    """Categories, priorities and teams with what they are for; archived ones are not offered."""
    kind = ""
    for option in found:
        if option["archived"]:
            continue
        if word(option["kind"]) != kind:
            kind = word(option["kind"])
            yield Text(kind.capitalize(), style="bold")
        line = Table.grid(padding=(0, 1))
        line.add_column(width=18)
        line.add_column()
        hr = ("  hr only", "yellow") if option["audience"] == "PEOPLE" else ""
        line.add_row(
            Text(f"  {option['key']}", style="cyan"), Text.assemble(inert(option["description"] or option["name"]), hr)
        )
        yield line
