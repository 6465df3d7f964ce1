"""Who may call which RPC of logs, and what leaves it.

Log text can hold anything about anybody, so people of hr see no log at all: refused whole, nothing of it needs a mask.
"""

from google.protobuf.message import Message

from chassis.identity import Call, Role
from chassis.policy import Policy, allow


def build_policy() -> Policy:
    """The table of logs."""
    people = allow("gateway", roles=(Role.ADMIN, Role.OPS))
    writers = allow("gateway", roles=(Role.ADMIN, Role.OPS), scopes=("logs:write",))
    return Policy(
        {
            "SummarizeLog": writers,
            "UploadLog": writers,
            "ResummarizeLog": people,
            "AcceptLogSuggestion": people,
            "DismissLogSuggestion": people,
            "UpdateLogStatus": people,
            "UpdateLog": people,
            "GetLog": people,
            "BatchGetLogs": allow("gateway", "tickets", roles=(Role.ADMIN, Role.OPS)),
            "ListLogs": people,
            "ListLogRecords": people,
            "GetLogHistogram": people,
            "BatchGetLogRecords": people,
            "ListLogPatterns": people,
            "BatchGetLogPatterns": people,
        },
        mask=_mask,
    )


def _mask(_call: Call, message: Message) -> Message:
    """Whoever passes the table sees all of it."""
    return message
