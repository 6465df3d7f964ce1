"""Who may call which RPC of logs, and what leaves it.

Log text can hold anything about anybody, so people of hr see no log at all: refused whole, and no row is for them.
"""

from collections.abc import Mapping

from chassis.identity import Role
from chassis.masking import Kind, Mask, fields, rows, seen_by, table
from chassis.policy import Policy, Rule, allow

_PEOPLE = allow("gateway", roles=(Role.ADMIN, Role.OPS))
_WRITERS = allow("gateway", roles=(Role.ADMIN, Role.OPS), scopes=("logs:write",))
RULES: Mapping[str, Rule] = {
    "SummarizeLog": _WRITERS,
    "UploadLog": _WRITERS,
    "ResummarizeLog": _PEOPLE,
    "AcceptLogSuggestion": _PEOPLE,
    "DismissLogSuggestion": _PEOPLE,
    "UpdateLogStatus": _PEOPLE,
    "UpdateLog": _PEOPLE,
    "GetLog": _PEOPLE,
    "BatchGetLogs": allow("gateway", "tickets", roles=(Role.ADMIN, Role.OPS)),
    "ListLogs": _PEOPLE,
    "ListLogRecords": _PEOPLE,
    "GetLogHistogram": _PEOPLE,
    "BatchGetLogRecords": _PEOPLE,
    "ListLogPatterns": _PEOPLE,
    "BatchGetLogPatterns": _PEOPLE,
}

_READERS = seen_by(Kind.ADMIN, Kind.OPS)
_WRITER = seen_by(Kind.ADMIN, Kind.OPS, Kind.MACHINE)
"""A machine hears of the log that it has just written, and reads no record."""

TABLE = table(
    fields(
        "aiops.logs.v1",
        {
            "Log": rows(
                _WRITER,
                "id version name service source state status severity record_count line_count byte_count pattern_count "
                "severity_counts first_record_time last_record_time tags notes summary failure created_by created_at "
                "updated_at summary_suggestions",
            ),
            "Summary": rows(
                _WRITER,
                "sentences engine model run_id evidence_digest created_at fallback_reason replaced_sentence_count "
                "read_version",
            ),
            "SummarySentence": rows(_WRITER, "text record_ids entry_keys engine"),
            "SummarySuggestion": rows(_WRITER, "id summary suggested_at"),
            "SeverityCount": rows(_WRITER, "severity count"),
            "LogRecord": rows(
                _READERS,
                "id log_id line_number time observed_time severity severity_text body attributes service trace_id "
                "pattern_id truncated",
            ),
            "LogPattern": rows(_READERS, "id version template service first_log_id created_at"),
            "LogPatternCount": rows(
                _READERS,
                "pattern count severity_counts first_time last_time exemplar_record_ids buckets bucket_seconds "
                "new_for_service",
            ),
            "ResolvedLogPattern": rows(_READERS, "requested_id pattern"),
            "LogHistogram": rows(_READERS, "bucket_seconds buckets untimed_count"),
            "LogHistogramBucket": rows(_READERS, "start_time count severity_counts"),
            "TimeBucketCount": rows(_READERS, "start_time count"),
            "SummarizeLogResponse UploadLogResponse": rows(_WRITER, "log"),
            "ResummarizeLogResponse AcceptLogSuggestionResponse DismissLogSuggestionResponse UpdateLogStatusResponse "
            "UpdateLogResponse GetLogResponse": rows(_READERS, "log"),
            "BatchGetLogsResponse": rows(_READERS, "logs"),
            "ListLogsResponse": rows(_READERS, "logs page_info cursors"),
            "ListLogRecordsResponse": rows(_READERS, "log_records page_info cursors"),
            "BatchGetLogRecordsResponse": rows(_READERS, "log_records"),
            "GetLogHistogramResponse": rows(_READERS, "histogram"),
            "ListLogPatternsResponse": rows(_READERS, "log_patterns page_info cursors"),
            "BatchGetLogPatternsResponse": rows(_READERS, "log_patterns"),
        },
    )
)

HISTORY = rows(
    _READERS,
    "name service source state status status_reason severity record_count tags notes summary failure "
    "summary_requested_version summary_suggestions created_by created_at",
)
"""Who sees which field of a log's past."""


def build_policy() -> Policy:
    """The rules and the mask of logs."""
    return Policy(RULES, Mask(TABLE))
