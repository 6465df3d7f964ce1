"""The tables of logs, as SQL queries see them; the migrations own their definition and the role its search_path."""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Integer, MetaData, SmallInteger, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

METADATA = MetaData()

LOGS = Table(
    "logs",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("status_reason", Text, nullable=False),
    Column("severity", SmallInteger, nullable=False),
    Column("record_count", BigInteger, nullable=False),
    Column("line_count", BigInteger, nullable=False),
    Column("byte_count", BigInteger, nullable=False),
    Column("severity_counts", JSONB, nullable=False),
    Column("first_time_nanoseconds", BigInteger),
    Column("last_time_nanoseconds", BigInteger),
    Column("first_record_id", Uuid, nullable=False),
    Column("last_record_id", Uuid, nullable=False),
    Column("tags", ARRAY(Text), nullable=False),
    Column("notes", Text, nullable=False),
    Column("summary", JSONB(none_as_null=True)),
    Column("failure", Text, nullable=False),
    Column("summary_requested_version", BigInteger, nullable=False),
    Column("summary_suggestions", JSONB, nullable=False),
    Column("created_by_kind", Text, nullable=False),
    Column("created_by_id", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
)

LOG_PATTERNS = Table(
    "log_patterns",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("template", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("first_log_id", Uuid, nullable=False),
    Column("merged_into", Uuid),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

LOG_PATTERN_VERSIONS = Table(
    "log_pattern_versions",
    METADATA,
    Column("pattern_id", Uuid, primary_key=True),
    Column("version", BigInteger, primary_key=True),
    Column("template", Text, nullable=False),
    Column("merged_into", Uuid),
    Column("log_id", Uuid, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

LOG_PATTERN_COUNTS = Table(
    "log_pattern_counts",
    METADATA,
    Column("log_id", Uuid, primary_key=True),
    Column("pattern_id", Uuid, primary_key=True),
    Column("severity", SmallInteger, primary_key=True),
    Column("record_count", BigInteger, nullable=False),
)

LOG_RECORDS = Table(
    "log_records",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("log_id", Uuid, nullable=False),
    Column("pattern_id", Uuid, nullable=False),
    Column("time_nanoseconds", BigInteger),
    Column("observed_time", DateTime(timezone=True), nullable=False),
    Column("line_number", Integer, nullable=False),
    Column("severity", SmallInteger, nullable=False),
    Column("truncated", Boolean, nullable=False),
    Column("severity_text", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("trace_id", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("attributes", JSONB, nullable=False),
)
