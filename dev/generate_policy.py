"""Writes docs/policy.md from the policy tables: who may call what, what exists for whom, and who sees which field.

    python dev/generate_policy.py [--check]

`--check` changes nothing and ends with 1 when the file is not what the code says.
"""

import argparse
import importlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from chassis.masking import COMMON, EVERYBODY, Audience, Case, Table
from chassis.policy import Rule
from chassis.process import EVERYWHERE

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "policy.md"
SERVICES = ("auth", "logs", "tickets", "changelog", "ai")

HEAD = """# Who may call what, and who sees what

Made by `python dev/generate_policy.py` from the tables in `services/*/policy.py` and the chassis; do not edit.

Each service decides for itself, behind every path: the gateway is not trusted to mask. A call passes when its calling
service and whoever it is for are in the rule of its RPC. What is answered passes the mask: an object that does not
exist for the caller is left out with all that is told about it, and a field without a row is cleared. Of a message that
is not named here, whoever gets the answer sees each field. ADR 0044 says why.

*machine*: a service account, by its token's scopes. *service*: another service in its own work, on nobody's behalf.
*nobody*: whoever has not logged in. *no role*: a person to whom no admin gave a role yet.
"""


def render() -> str:
    """The whole page."""
    lines = [HEAD.rstrip()]
    for name in SERVICES:
        policy = importlib.import_module(f"{name}_service.policy")
        lines += ["", f"## {name}", "", *_rules(policy.RULES), *_objects(policy.TABLE), *_fields(policy.TABLE)]
        lines += _history(policy)
    lines += ["", "## Every service", "", "What each service offers beside its own RPCs.", ""]
    lines += _rules({name: rule for offered, _ in EVERYWHERE for name, rule in offered.items()})
    for _, table in EVERYWHERE:
        lines += [*_objects(table), *_fields(table)]
    return "\n".join(lines) + "\n"


def _rules(rules: Mapping[str, Rule]) -> list[str]:
    rows = [f"| `{name}` | {', '.join(sorted(rule.callers))} | {_for_whom(rule)} |" for name, rule in rules.items()]
    return ["| RPC | Called by | For |", "|---|---|---|", *rows]


def _for_whom(rule: Rule) -> str:
    if rule.anonymous:
        return "everybody"
    people = ["any person"] if rule.any_user else sorted(role.value for role in rule.roles)
    machines = [f"machines with `{scope}`" for scope in sorted(rule.scopes)]
    return ", ".join([*people, *machines, *(["services in their own work"] if rule.background else [])]) or "no one"


def _objects(table: Table) -> list[str]:
    if not table.objects:
        return []
    rows = [f"| {_short(name)} | {_where(case)} | {case.audience} |" for name, case in _cases(table)]
    receipts = [
        f"In {_short(name)}, one that does not exist for the caller leaves a receipt: {_names(sorted(kept))}."
        for name, kept in table.receipts.items()
    ]
    return ["", "| Object | Case | Exists for |", "|---|---|---|", *rows, *([""] if receipts else []), *receipts]


def _cases(table: Table) -> Iterator[tuple[str, Case]]:
    for name, cases in table.objects.items():
        for case in cases:
            yield name, case


def _where(case: Case) -> str:
    return ", ".join(f"`{name}` is `{value}`" for name, value in case.where.items()) or "otherwise"


def _fields(table: Table) -> list[str]:
    rows = []
    for name, fields in table.fields.items():
        if name in COMMON:
            continue
        for audience in dict.fromkeys(fields.values()):
            if audience != EVERYBODY:
                seen = [field for field, who in fields.items() if who == audience]
                which = "every field" if len(seen) == len(fields) else _names(seen)
                rows.append(f"| {_short(name)} | {which} | {_audience(audience, table)} |")
    return ["", "| Message | Fields | Seen by |", "|---|---|---|", *rows] if rows else []


def _audience(audience: Audience, table: Table) -> str:
    proofs = f" (to himself also in {_names(sorted(table.proofs))})" if audience.owner and table.proofs else ""
    return f"{audience}{proofs}"


def _history(policy: object) -> list[str]:
    history: Mapping[str, Audience] = getattr(policy, "HISTORY", {})
    rows = [
        f"| {_names([name for name, who in history.items() if who == audience])} | {audience} |"
        for audience in dict.fromkeys(history.values())
    ]
    if not rows:
        return []
    lines = ["", "| Field of its history | Seen by |", "|---|---|", *rows]
    if veiled := getattr(policy, "VEILED", None):
        lines += ["", f"Not read of the time before the thing was shown to somebody: {_names(sorted(veiled))}."]
    for name, who in getattr(policy, "TOLD", {}).items():
        lines += ["", f"A row that replaces `{name}` is told to {who}."]
    return lines


def _short(name: str) -> str:
    return f"`{name.rpartition('.')[2]}`"


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def main() -> None:
    """Write the page, or check it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only compare")
    page = render()
    if parser.parse_args().check:
        if not TARGET.exists() or TARGET.read_text() != page:
            sys.exit("docs/policy.md is not what the code says; run: python dev/generate_policy.py")
        return
    TARGET.write_text(page)
    print(f"wrote {TARGET.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
