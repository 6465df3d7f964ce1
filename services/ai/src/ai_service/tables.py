"""The tables of ai as the migrations made them. They name no schema: the role's search_path holds its own alone."""

from sqlalchemy import BigInteger, Column, DateTime, Integer, MetaData, Table, Text, Uuid

metadata = MetaData()

runs = Table(
    "runs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("task", Text),
    Column("engine", Text),
    Column("model", Text),
    Column("prompt_version", Integer),
    Column("input_digest", Text),
    Column("input_tokens", BigInteger),
    Column("output_tokens", BigInteger),
    Column("latency_milliseconds", BigInteger),
    Column("attempt_count", Integer),
    Column("fallback_reason", Text),
    Column("created_at", DateTime(timezone=True)),
)
