"""What people see of changelogs and deployments."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from rich.text import Text

from aiops_cli.render import clock, inert, many
from aiops_cli.ticket_view import missing_parts, word

SHA_CHARACTERS = 10
VERSION = re.compile(r"[vV]?\d+\.\d+\.\d+([-+].+)?")
"""The tag at the end is what the release is called, whatever its commits ask for."""
HASH = re.compile(r"[0-9a-f]{40,64}")
EXCLUSION = {
    "MERGE": "merges",
    "REVERTED": "reverted",
    "DUPLICATE": "duplicates",
    "INTERNAL": "internal",
    "DOCUMENTATION": "documentation",
    "DEPENDENCY": "dependencies",
    "RELEASE": "of the release itself",
    "MEANINGLESS": "without meaning",
}


def _title(changelog: Mapping[str, Any]) -> str:
    repository = (changelog["repository"] or {}).get("name") or "a repository"
    to_ref = changelog["toRef"] or ""
    return inert(f"{repository} {to_ref}" if VERSION.fullmatch(to_ref) else repository)


def _next(changelog: Mapping[str, Any]) -> str:
    return f" -> {inert(changelog['nextVersion'])}" if changelog["nextVersion"] else ""


def _range(changelog: Mapping[str, Any]) -> str:
    if not changelog["toRef"]:
        return "given commits"
    return inert(f"{_ref(changelog['fromRef'])}..{_ref(changelog['toRef'])}")


def _ref(name: str | None) -> str:
    """A tag as it is, a hash as people write it."""
    given = name or ""
    return given[:SHA_CHARACTERS] if HASH.fullmatch(given) else given


def changelog_row(changelog: Mapping[str, Any]) -> Iterable[Text]:
    """One changelog of a list, on two lines."""
    state = word(changelog["state"])
    style = "green" if state == "published" else "yellow"
    yield Text.assemble(f"{changelog['id']}  {clock(changelog['createdAt'])}  ", (state, style))
    count = many(changelog["commitCount"], "commit")
    facts = f"  {_range(changelog)}, {count}, {word(changelog['bump'])}{_next(changelog)}"
    yield Text.assemble("    ", (_title(changelog), "bold"), (facts, "dim"))


def changelog(changelog: Mapping[str, Any], missing: Sequence[str], *, excluded: bool) -> Iterable[Text]:
    """A changelog with its accounts: every commit is in one entry or left out."""
    yield Text.assemble((_title(changelog), "bold"), f"  {changelog['id']}")
    yield Text(f"{_range(changelog)}, {word(changelog['state'])}, version {changelog['version']}", style="dim")
    yield accounts(changelog)
    yield bump(changelog)
    yield from _highlights(changelog)
    for section, entries in groupby(changelog["entries"], key=lambda entry: entry["section"]):
        yield Text(f"\n{word(section).capitalize()}", style="bold")
        for entry in entries:
            yield from _entry(entry)
    if changelog["excluded"]:
        yield Text("\nLeft out", style="bold")
        yield from _excluded(changelog, whole=excluded)
    for deployment in changelog.get("deployments") or ():
        what = f"{inert(deployment['service'])} {inert(deployment['version'])} in {inert(deployment['environment'])}"
        yield Text.assemble(("\nlive  ", "cyan"), what, (f"  {clock(deployment['deployedAt'])} UTC", "dim"))
    yield from missing_parts(missing)


def accounts(changelog: Mapping[str, Any]) -> Text:
    """How the commits add up."""
    entries, left_out = changelog["entries"], len(changelog["excluded"])
    inside = sum(len(entry["commitShas"]) for entry in entries)
    return Text(
        f"{many(changelog['commitCount'], 'commit')} = {inside:,} in {many(len(entries), 'entry', 'entries')} "
        f"+ {left_out:,} left out"
    )


def bump(changelog: Mapping[str, Any]) -> Text:
    """Which part of the version rises, and the commit that decided it."""
    if changelog["bump"] in {"NONE", None}:
        return Text("nothing asks for a release")
    before, after = changelog["previousVersion"], changelog["nextVersion"]
    versions = f": {inert(before or '')} -> {inert(after)}" if after else ""
    return Text(f"{word(changelog['bump'])}{versions}, decided by {(changelog['bumpSha'] or '?')[:SHA_CHARACTERS]}")


def _highlights(changelog: Mapping[str, Any]) -> Iterable[Text]:
    worded = changelog["highlights"]
    if changelog["highlightState"] == "FAILED":
        yield Text(
            f"\nThe highlights could not be worded: {inert(changelog['highlightFailure'] or '')}", style="yellow"
        )
    elif changelog["highlightState"] == "PENDING":
        yield Text(f"\nHighlights are being worded: aiops changelogs show {changelog['id']}", style="dim")
    if worded and worded["highlights"]:
        yield Text.assemble(("\nHighlights", "bold"), (f"  by the {inert(worded['engine']).lower()} engine", "dim"))
        for each in worded["highlights"]:
            references = f" ({', '.join(map(inert, each['references']))})" if each["references"] else ""
            yield Text.assemble("  • ", inert(each["text"]), (references, "dim"))


def _entry(entry: Mapping[str, Any]) -> Iterable[Text]:
    scope = f"{inert(entry['scope'])}: " if entry["scope"] else ""
    names = [sha[:SHA_CHARACTERS] for sha in entry["commitShas"]] + [inert(each) for each in entry["references"]]
    breaking = ("BREAKING ", "bold red") if entry["breaking"] else ""
    yield Text.assemble("  • ", breaking, (scope, "bold"), inert(entry["text"]), (f"  {', '.join(names)}", "dim"))
    if entry["breakingNote"]:
        yield Text(f"    {inert(entry['breakingNote'])}", style="red")


def _excluded(changelog: Mapping[str, Any], *, whole: bool) -> Iterable[Text]:
    if not whole:
        counts = Counter(each["reason"] for each in changelog["excluded"])
        told = ", ".join(f"{count:,} {EXCLUSION.get(reason, word(reason))}" for reason, count in counts.most_common())
        yield Text(f"  {told}")
        yield Text(f"  each of them: aiops changelogs show {changelog['id']} --excluded", style="dim")
        return
    for each in changelog["excluded"]:
        yield Text.assemble(
            (f"  {each['sha'][:SHA_CHARACTERS]}  ", "yellow"),
            inert(each["subject"]) or "(no subject)",
            (f"  {EXCLUSION.get(each['reason'], word(each['reason']))}: {inert(each['detail'] or '')}", "dim"),
        )


def deployment_row(deployment: Mapping[str, Any]) -> Iterable[Text]:
    """One deployment, on a line or two."""
    what = f"{inert(deployment['service'])} {inert(deployment['version'])}"
    at, where = clock(deployment["deployedAt"]), inert(deployment["environment"])
    yield Text.assemble(f"{at}  ", (what, "bold"), f"  {where}", (f"  {deployment['id']}", "dim"))
    repository = inert((deployment["repository"] or {}).get("name") or "")
    sha = f" at {deployment['sha'][:SHA_CHARACTERS]}" if deployment["sha"] else ""
    built = f"built from {repository or 'an unnamed repository'}{sha}" if repository or sha else ""
    known = [part for part in (built, inert(deployment["url"] or "")) if part]
    if known:
        yield Text("    " + "  ".join(known), style="dim")
