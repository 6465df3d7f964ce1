"""Who may call ai, and what leaves it. Runs hold no text of what was asked; answers do, for the service that asked."""

from collections.abc import Mapping

from chassis.identity import Role
from chassis.masking import Kind, Mask, fields, rows, seen_by, table
from chassis.policy import Policy, Rule, allow

RULES: Mapping[str, Rule] = {
    "SummarizeEvidence": allow("logs", background=True),
    "TriageTicket": allow("tickets", background=True),
    "WordHighlights": allow("changelog", background=True),
    "BatchGetRuns": allow("gateway", "logs", roles=(Role.ADMIN, Role.OPS, Role.HR), background=True),
}

_WHO_ASKED = seen_by(Kind.SERVICE)
_WHO_READS_RUNS = seen_by(Kind.ADMIN, Kind.OPS, Kind.HR, Kind.SERVICE)

TABLE = table(
    fields(
        "aiops.ai.v1",
        {
            "Run": rows(
                _WHO_READS_RUNS,
                "id task engine model prompt_version input_digest input_tokens output_tokens latency_milliseconds "
                "fallback_reason created_at attempt_count",
            ),
            "BatchGetRunsResponse": rows(_WHO_READS_RUNS, "runs"),
            "SummarizeEvidenceResponse": rows(_WHO_ASKED, "run sentences builtin_sentences"),
            "Sentence": rows(_WHO_ASKED, "text entry_keys record_ids"),
            "TriageTicketResponse": rows(_WHO_ASKED, "run category priority team people"),
            "Choice": rows(_WHO_ASKED, "value confidence uncertain reasons"),
            "Suspicion": rows(_WHO_ASKED, "suspected confidence reasons"),
            "Reason": rows(_WHO_ASKED, "field start end quote explanation"),
            "WordHighlightsResponse": rows(_WHO_ASKED, "run highlights builtin_highlights"),
            "HighlightSentence": rows(_WHO_ASKED, "text entry_keys"),
        },
    )
)


def make_policy() -> Policy:
    """The rules and the mask of ai."""
    return Policy(RULES, Mask(TABLE))
