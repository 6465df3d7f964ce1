"""Reading what there is when all is over: through the gateway as a person, and in the tables as nobody may."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any

import psycopg
import yaml
from psycopg import sql
from tests.fault.caller import Caller
from tests.fault.checkers import Change, Fact, Facts, Readable, Seen, vanished, waiting
from tests.fault.installation import Installation

from aiops.events.v1.envelope_pb2 import Envelope
from state import ROOT, SERVICES

DRAIN_SECONDS = 30.0
VERSIONED = {"log": "logs", "ticket": "tickets", "changelog": "changelogs", "user": "users"}
"""Aggregate types and the tables of their rows."""
PAGES = {
    "tickets": "id version title service comments(first: 100) { nodes { id body } pageInfo { hasNextPage } }",
    "logs": "id version name notes",
    "deployments": "id version",
    "commits": "id sha",
    "changelogs": "id version previousVersion",
    "users": "id version email",
}
MARKER = re.compile(r"\b[b-p]{5}[0-9]{6}x\b")


async def readable(admin: Caller, *, only: Collection[str] = tuple(PAGES)) -> Readable:
    """All that the admin can read, by its markers; `only` some of the pages."""
    found = Readable()

    def see(kind: str, text: str, id_: str, version: int = 1) -> None:
        marker = MARKER.search(text)
        found.by_marker.setdefault((kind, marker[0] if marker else text), []).append(Seen(id_, version))

    for field in only:
        async for node in _pages(admin, field, PAGES[field]):
            kind = field.removesuffix("s")
            if isinstance(node.get("version"), int):
                found.versions[node["id"]] = node["version"]
            text = next(
                node[name] for name in ("title", "name", "email", "sha", "previousVersion", "version") if name in node
            )
            see(kind, text or "", node["id"], 1 if kind in {"deployment", "commit"} else node["version"])
            if kind in {"ticket", "log"}:
                found.current[node["id"]] = node.get("service" if kind == "ticket" else "notes") or ""
            if kind == "ticket":
                assert not node["comments"]["pageInfo"]["hasNextPage"], "a page of comments does not show all of them"
                for comment in node["comments"]["nodes"]:
                    see("comment", comment["body"], comment["id"])
    return found


async def _pages(admin: Caller, field: str, selection: str) -> AsyncIterator[dict[str, Any]]:
    query = (
        f"query All($after: String) {{ {field}(first: 40, after: $after) "
        f"{{ nodes {{ {selection} }} pageInfo {{ hasNextPage endCursor }} }} }}"
    )
    after = None
    while True:
        page = (await admin.read(query, {"after": after}))[field]
        for node in page["nodes"]:
            yield node
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]


def facts(installation: Installation) -> list[Facts]:
    """What each service's schema holds."""
    with installation.database() as connection:
        return [_facts(connection, service) for service in SERVICES]


def _facts(connection: "psycopg.Connection[Any]", service: str) -> Facts:
    def rows(statement: str, *tables: str) -> list[tuple[Any, ...]]:
        names = [sql.Identifier(service, table) for table in tables]
        return connection.execute(sql.SQL(statement).format(*names)).fetchall()

    tables = {
        str(name)
        for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [service]).fetchall()
    }
    found = Facts(service)
    found.outbox = [
        Fact(event_id, kind, id_, version, subject, published, Envelope.FromString(payload).causation_id)
        for event_id, kind, id_, version, subject, published, payload in rows(
            "SELECT event_id, aggregate_type, aggregate_id, aggregate_version, subject,"
            " published_at IS NOT NULL, payload FROM {} ORDER BY seq",
            "outbox",
        )
    ]
    found.inbox = [(consumer, event) for consumer, event in rows("SELECT consumer, event_id FROM {}", "inbox")]
    found.dead = [(consumer, event) for consumer, event in rows("SELECT consumer, event_id FROM {}", "dead_letters")]
    for kind, table in VERSIONED.items():
        if table in tables:
            found.versions |= {(kind, id_): version for id_, version in rows("SELECT id, version FROM {}", table)}
        if f"{kind}_changes" in tables:
            found.histories |= {kind}
            found.changes += [
                Change(kind, id_, version, event)
                for id_, version, event in rows("SELECT id, version, event FROM {}", f"{kind}_changes")
            ]
    return found


def broken_histories(installation: Installation) -> tuple[int, list[str]]:
    """[11, 12] How many changes the histories hold, and each place where `aiops history verify` finds one broken.

    It folds every chain and compares it with its row and its snapshots, and the chains with their anchors.
    """
    state = installation.state
    owners = {f"{service.upper()}_OWNER_DATABASE_URL": state.database_url(f"{service}_owner") for service in SERVICES}
    done = subprocess.run(
        [sys.executable, "-m", "aiops_cli", "history", "verify", "--json"],
        env={**os.environ, **installation.environment, **state.shared_environment(), **owners},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.startswith("["), done.stdout + done.stderr
    reports = json.loads(done.stdout)
    found = [
        f"{fault['service']} {fault['kind']} {fault['where']}: {fault['what']}"
        for report in reports
        for fault in report["faults"]
    ]
    return sum(report["rows"] for report in reports), found


def subscriptions() -> dict[str, dict[str, str]]:
    """By service, the durable consumers and their subjects."""
    registry: Mapping[str, Any] = yaml.safe_load((ROOT / "proto" / "events.yaml").read_text())["events"]
    found: dict[str, dict[str, str]] = {}
    for subject, event in registry.items():
        for consumer in event.get("consumers", ()):
            found.setdefault(consumer["service"], {})[consumer["durable"]] = subject
    return found


def drained(installation: Installation, *, seconds: float = DRAIN_SECONDS) -> float:
    """Seconds until every fact is published and every consumer has had its events; at most `seconds`.

    What is still on its way then is for the checkers to name.
    """
    started = time.monotonic()
    while _on_their_way(facts(installation)) and time.monotonic() - started < seconds:
        time.sleep(0.3)
    return time.monotonic() - started


def _on_their_way(all_facts: list[Facts]) -> bool:
    return any(
        waiting(of_one) or vanished(all_facts, of_one, subscriptions().get(of_one.service, {})) for of_one in all_facts
    )
