"""What an engine said too late, and what people make of it."""

from typing import Any

import pytest

from aiops.changelog.v1 import changelog_pb2, changelog_service_pb2
from aiops.logs.v1 import log_pb2, logs_service_pb2
from aiops.tickets.v1 import ticket_pb2, tickets_service_pb2
from gateway.testing.answers import MOMENT, a_changelog, a_log, a_ticket, an_id
from gateway.testing.stack import Script

THING, SUGGESTION, KEY = an_id(21), an_id(41), "suggestion-key-0123456789"

LOG = a_log(
    THING,
    version=5,
    summary_suggestions=[
        log_pb2.SummarySuggestion(
            id=SUGGESTION,
            summary=log_pb2.Summary(
                sentences=[log_pb2.SummarySentence(text="It broke.")], engine="openai", read_version=2
            ),
            suggested_at=MOMENT,
        )
    ],
)
CHANGELOG = a_changelog(
    THING,
    version=5,
    highlight_suggestions=[
        changelog_pb2.HighlightsSuggestion(
            id=SUGGESTION,
            highlights=changelog_pb2.Highlights(
                highlights=[changelog_pb2.Highlight(text="Paid.", entry_keys=["c1"])], engine="openai"
            ),
            read_version=2,
            suggested_at=MOMENT,
        )
    ],
)
TICKET = a_ticket(
    THING,
    version=5,
    suggestion=ticket_pb2.TriageSuggestion(
        decision=ticket_pb2.TriageDecision(
            id=SUGGESTION,
            engine="openai",
            category=ticket_pb2.TriageChoice(value="incident", confidence=0.75),
            ticket_version=2,
            created_at=MOMENT,
        ),
        changed=["title"],
    ),
)


async def test_suggestions_stand_beside_what_they_were_made_for(script: Script) -> None:
    script.logs.answers["BatchGetLogs"] = logs_service_pb2.BatchGetLogsResponse(logs=[LOG])
    script.tickets.answers["BatchGetTickets"] = tickets_service_pb2.BatchGetTicketsResponse(tickets=[TICKET])
    script.changelog.answers["BatchGetChangelogs"] = changelog_service_pb2.BatchGetChangelogsResponse(
        changelogs=[CHANGELOG]
    )
    document = """
    query($id: ID!) {
      log(id: $id) { summarySuggestions { id suggestedAt summary { readVersion engine sentences { text } } } }
      ticket(id: $id) { triageSuggestion { changed decision { ticketVersion category { value confidence } } } }
      changelog(id: $id) { highlightSuggestions { id readVersion highlights { highlights { text references } } } }
    }
    """

    data = await script.gateway.data(document, {"id": THING}, token=script.token())

    assert data == {
        "log": {
            "summarySuggestions": [
                {
                    "id": SUGGESTION,
                    "suggestedAt": MOMENT.ToJsonString(),
                    "summary": {"readVersion": 2, "engine": "openai", "sentences": [{"text": "It broke."}]},
                }
            ]
        },
        "ticket": {
            "triageSuggestion": {
                "changed": ["title"],
                "decision": {"ticketVersion": 2, "category": {"value": "incident", "confidence": 0.75}},
            }
        },
        "changelog": {
            "highlightSuggestions": [
                {
                    "id": SUGGESTION,
                    "readVersion": 2,
                    "highlights": {"highlights": [{"text": "Paid.", "references": ["#12", "#7"]}]},
                }
            ]
        },
    }


@pytest.mark.parametrize("verb", ["Accept", "Dismiss"])
@pytest.mark.parametrize("thing", ["log", "changelog", "ticket"])
async def test_suggestion_is_taken_or_put_away_with_key_and_version(script: Script, verb: str, thing: str) -> None:
    service, module, told = {
        "log": (script.logs, logs_service_pb2, LOG),
        "changelog": (script.changelog, changelog_service_pb2, CHANGELOG),
        "ticket": (script.tickets, tickets_service_pb2, TICKET),
    }[thing]
    rpc = f"{verb}{thing.capitalize()}Suggestion"
    service.answers[rpc] = getattr(module, f"{rpc}Response")(**{thing: told})
    values: dict[str, Any] = {f"{thing}Id": THING, "expectedVersion": 4, "idempotencyKey": KEY}
    named = {} if thing == "ticket" else {"suggestionId": SUGGESTION}

    field = rpc[0].lower() + rpc[1:]
    result = await script.gateway.mutate(field, f"{thing} {{ id version }}", token=script.token(), **values, **named)

    assert result == {"__typename": f"{rpc}Success", thing: {"id": THING, "version": 5}}
    (request,) = service.requests
    sent = {descriptor.name: value for descriptor, value in request.ListFields()}
    wanted = {"idempotency_key": KEY, f"{thing}_id": THING, "expected_version": 4}
    assert sent == wanted | ({} if thing == "ticket" else {"suggestion_id": SUGGESTION})


async def test_accepted_suggestion_that_hides_the_ticket_shows_none(script: Script) -> None:
    script.tickets.answers["AcceptTicketSuggestion"] = tickets_service_pb2.AcceptTicketSuggestionResponse()

    result = await script.gateway.mutate(
        "acceptTicketSuggestion", "ticket { id }", token=script.token(), ticketId=THING, expectedVersion=4
    )

    assert result == {"__typename": "AcceptTicketSuggestionSuccess", "ticket": None}
