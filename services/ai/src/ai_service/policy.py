"""Who may call ai. Runs hold no text of what was asked, so there is nothing to mask in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chassis.identity import Role
from chassis.policy import Policy, allow

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from chassis.identity import Call


def make_policy() -> Policy:
    """The rules of all RPCs of ai."""
    return Policy(
        {
            "SummarizeEvidence": allow("logs", background=True),
            "TriageTicket": allow("tickets", background=True),
            "WordHighlights": allow("changelog", background=True),
            "BatchGetRuns": allow("gateway", "logs", roles=(Role.ADMIN, Role.OPS, Role.HR), background=True),
        },
        mask,
    )


def mask(call: Call, message: Message) -> Message:  # noqa: ARG001 - the signature of every service's mask
    """The message as it is."""
    return message
