"""The tables of tickets, as SQL queries see them; the migrations own their definition and the role its search_path."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnClause,
    Computed,
    DateTime,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    literal_column,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

METADATA = MetaData()

TICKETS = Table(
    "tickets",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("title", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("description", Text),
    Column("reporter_user_id", Uuid),
    Column("reporter_name", Text, nullable=False),
    Column("reporter_email", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("external_reference", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("audience", Text, nullable=False),
    Column("people_suspected", Boolean, nullable=False),
    Column("audience_decided", Boolean, nullable=False),
    Column("hidden", Boolean, Computed("people_suspected OR audience <> 'GENERAL'")),
    Column("status", Text, nullable=False),
    Column("triage_state", Text, nullable=False),
    Column("triage_failure", Text, nullable=False),
    Column("triage_requested_at", DateTime(timezone=True), nullable=False),
    Column("category", Text, nullable=False),
    Column("category_source", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("priority_rank", SmallInteger),
    Column("priority_source", Text, nullable=False),
    Column("team", Text, nullable=False),
    Column("team_source", Text, nullable=False),
    Column("suggestion", JSONB(none_as_null=True)),
    Column("assignee_id", Uuid),
    Column("log_ids", ARRAY(Uuid), nullable=False),
    Column("public_comment_count", Integer, nullable=False),
    Column("internal_comment_count", Integer, nullable=False),
    Column("created_by_kind", Text, nullable=False),
    Column("created_by_id", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
)
MESSAGE_TEXT: ColumnClause[str] = literal_column("(tickets.title || E'\\n' || tickets.message)", Text)
DESCRIPTION_TEXT: ColumnClause[str] = literal_column("(tickets.title || E'\\n' || tickets.description)", Text)
"""Title and text as the index on them spells it: any other spelling would read every ticket."""
URGENCY: ColumnClause[int] = literal_column("coalesce(tickets.priority_rank, 0::smallint)", SmallInteger)
"""What the index on priorities is on."""

TICKET_COMMENTS = Table(
    "ticket_comments",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("ticket_id", Uuid, nullable=False),
    Column("body", Text, nullable=False),
    Column("internal", Boolean, nullable=False),
    Column("author_kind", Text, nullable=False),
    Column("author_id", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

TICKET_TEXTS = Table(
    "ticket_texts",
    METADATA,
    Column("ticket_id", Uuid, primary_key=True),
    Column("thing_id", Uuid, primary_key=True),
    Column("field", Text, primary_key=True),
    Column("sealed", JSONB, nullable=False),
)

TRIAGE_DECISIONS = Table(
    "triage_decisions",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("ticket_id", Uuid, nullable=False),
    Column("ticket_version", BigInteger, nullable=False),
    Column("engine", Text, nullable=False),
    Column("decision", JSONB, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

TICKET_OPTIONS = Table(
    "ticket_options",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("audience", Text, nullable=False),
    Column("priority_level", SmallInteger),
    Column("archived", Boolean, nullable=False),
)

TICKET_WORDS = Table(
    "ticket_words",
    METADATA,
    Column("ticket_id", Uuid, primary_key=True),
    Column("words", ARRAY(Text), nullable=False),
    Column("counts", ARRAY(SmallInteger), nullable=False),
)

TICKET_WORD_COUNTS = Table(
    "ticket_word_counts",
    METADATA,
    Column("word", Text, primary_key=True),
    Column("ticket_count", BigInteger, nullable=False),
    Column("hidden_count", BigInteger, nullable=False),
)

TICKET_WORDS_UNCOUNTED = Table(
    "ticket_words_uncounted",
    METADATA,
    Column("ticket_id", Uuid, primary_key=True),
    Column("counted_words", ARRAY(Text)),
    Column("counted_hidden", Boolean),
)
