"""Tickets and releases as tickets and changelog would send them, and what a model should say to them."""

from __future__ import annotations

import json
from typing import Any

from services.ai.tests.factories import new_key

from ai_service.domain import Change, Option, Release, TicketText, TriageQuestion
from aiops.ai.v1 import ai_service_pb2 as pb
from aiops.ai.v1 import highlight_pb2, triage_pb2

CATEGORIES = (
    Option("bug", "Bug", "Something is broken or does not work as documented"),
    Option("feature", "Feature", "A wish for something new or better"),
    Option("question", "Question", "Somebody wants to know how something works"),
)
PRIORITIES = tuple(Option(key) for key in ("urgent", "high", "normal", "low"))
TEAMS = (
    Option("platform", "Platform", "Clusters, databases and deployments"),
    Option("payments", "Payments", "Checkout, invoices and refunds"),
)
TITLE = "Checkout crashes for all customers"
MESSAGE = "Since the deploy at nine the checkout\ncrashes in production. Refunds are stuck, too."


def question(title: str = TITLE, message: str = MESSAGE, **values: Any) -> TriageQuestion:
    """A ticket with options for all three properties; `values` win."""
    service = values.pop("service", "checkout")
    declared = {"categories": CATEGORIES, "priorities": PRIORITIES, "teams": TEAMS, **values}
    return TriageQuestion(TicketText(title, message, service), **declared)


def triage_request(source: TriageQuestion | None = None, *, key: str = "") -> pb.TriageTicketRequest:
    """The same on the wire, under a key of its own."""
    source = source or question()
    ticket = triage_pb2.TicketText(
        title=source.ticket.title, message=source.ticket.message, service=source.ticket.service
    )
    categories, priorities, teams = (
        [triage_pb2.TriageOption(key=each.key, name=each.name, description=each.description) for each in options]
        for options in (source.categories, source.priorities, source.teams)
    )
    return pb.TriageTicketRequest(
        idempotency_key=key or new_key(), ticket=ticket, categories=categories, priorities=priorities, teams=teams
    )


def said(value: str, quote: str = "crashes", **values: Any) -> dict[str, Any]:
    """One property of a model's reply."""
    reason = {"field": values.pop("field", "title"), "quote": quote, "explanation": "says that it crashes"}
    return {"value": value, "confidence": 0.8, "reasons": [reason], **values}


def triage_reply(**values: Any) -> str:
    """What a model should answer; `values` win, and None leaves a property out."""
    people = {"suspected": False, "confidence": 0.9, "reasons": []}
    defaults = {
        "category": said("bug"),
        "priority": said("urgent", "all customers"),
        "team": said("payments", "Checkout"),
        "people": people,
    }
    return json.dumps({name: value for name, value in {**defaults, **values}.items() if value is not None})


def release(*changes: Change) -> Release:
    """A release with these changes, else with a breaking one and a fix."""
    return Release(
        "aiops",
        changes
        or (
            Change("sha-1", "Changed", "drop the `v1` endpoints (#12)", "api", breaking=True),
            Change("sha-2", "Fixed", "fix retries after 429, closes #9"),
        ),
    )


def highlights_request(source: Release | None = None, *, key: str = "") -> pb.WordHighlightsRequest:
    """The same on the wire, under a key of its own."""
    source = source or release()
    entries = [
        highlight_pb2.HighlightEntry(
            key=each.key, section=each.section, text=each.text, scope=each.scope, breaking=each.breaking
        )
        for each in source.changes
    ]
    return pb.WordHighlightsRequest(idempotency_key=key or new_key(), subject=source.subject, entries=entries)


def highlights_reply(*highlights: tuple[str, list[str]]) -> str:
    """What a model should answer."""
    told = highlights or (("Breaking: the v1 endpoints of the API are gone.", ["C1"]),)
    return json.dumps({"highlights": [{"text": text, "keys": keys} for text, keys in told]})
