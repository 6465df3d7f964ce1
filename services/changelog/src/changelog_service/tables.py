"""The tables of changelog, as SQL queries see them; the migrations own their definition."""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Integer, MetaData, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

METADATA = MetaData()

REPOSITORIES = Table(
    "repositories",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("services", ARRAY(Text), nullable=False),
    Column("commit_count", BigInteger, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
)

COMMITS = Table(
    "commits",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("repository_id", Uuid, nullable=False),
    Column("sha", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("author_name", Text, nullable=False),
    Column("author_email", Text, nullable=False),
    Column("committed_at", DateTime(timezone=True)),
    Column("parent_shas", ARRAY(Text), nullable=False),
    Column("paths", ARRAY(Text), nullable=False),
    Column("type", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("breaking", Boolean, nullable=False),
    Column("conventional", Boolean, nullable=False),
)

TAGS = Table(
    "tags",
    METADATA,
    Column("repository_id", Uuid, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("commit_id", Uuid, nullable=False),
)

CHANGELOGS = Table(
    "changelogs",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("repository_id", Uuid, nullable=False),
    Column("from_ref", Text, nullable=False),
    Column("to_ref", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("bump", Text, nullable=False),
    Column("bump_sha", Text, nullable=False),
    Column("previous_version", Text, nullable=False),
    Column("next_version", Text, nullable=False),
    Column("entries", JSONB, nullable=False),
    Column("excluded", JSONB, nullable=False),
    Column("commit_count", Integer, nullable=False),
    Column("markdown", Text, nullable=False),
    Column("json", Text, nullable=False),
    Column("highlight_state", Text, nullable=False),
    Column("highlights", JSONB(none_as_null=True)),
    Column("highlight_failure", Text, nullable=False),
    Column("highlight_suggestions", JSONB, nullable=False),
    Column("created_by_kind", Text, nullable=False),
    Column("created_by_id", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("published_by_kind", Text),
    Column("published_by_id", Text),
    Column("published_at", DateTime(timezone=True)),
)

CHANGELOG_COMMITS = Table(
    "changelog_commits",
    METADATA,
    Column("changelog_id", Uuid, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("sha", Text, nullable=False),
)

DEPLOYMENTS = Table(
    "deployments",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("service", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("version_name", Text, nullable=False),
    Column("repository_id", Uuid),
    Column("sha", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("deployed_at", DateTime(timezone=True), nullable=False),
    Column("external_reference", Text, nullable=False),
    Column("created_by_kind", Text, nullable=False),
    Column("created_by_id", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
)
