"""The tables of auth as the migrations made them. They name no schema: the role's search_path holds its own alone."""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Double, LargeBinary, MetaData, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()


def _time(name: str) -> Column[object]:
    return Column(name, DateTime(timezone=True))


users = Table(
    "users",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("email", Text),
    Column("email_key", Text),
    Column("display_name", Text),
    Column("role", Text),
    Column("status", Text),
    _time("created_at"),
    _time("updated_at"),
)

passwords = Table(
    "passwords", metadata, Column("user_id", Uuid, primary_key=True), Column("hash", Text), _time("changed_at")
)

setup = Table("setup", metadata, Column("token_hash", LargeBinary), _time("created_at"), _time("consumed_at"))

invitations = Table(
    "invitations",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("user_id", Uuid),
    _time("created_at"),
    _time("expires_at"),
    _time("used_at"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("user_id", Uuid),
    _time("created_at"),
    _time("expires_at"),
    _time("revoked_at"),
    Column("revocation_cause", Text),
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("session_id", Uuid),
    Column("generation", BigInteger),
    _time("issued_at"),
    _time("used_at"),
)

service_accounts = Table(
    "service_accounts", metadata, Column("id", Uuid, primary_key=True), Column("name", Text), _time("created_at")
)

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("service_account_id", Uuid),
    Column("token_hash", LargeBinary),
    Column("prefix", Text),
    Column("scopes", ARRAY(Text)),
    _time("created_at"),
    _time("expires_at"),
    _time("revoked_at"),
    _time("last_used_at"),
)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("kid", Text, primary_key=True),
    Column("public_jwk", JSONB),
    Column("sealed_private_key", LargeBinary),
    Column("state", Text),
    _time("created_at"),
    _time("activated_at"),
    _time("retired_at"),
)

throttles = Table(
    "throttles",
    metadata,
    Column("subject_hash", LargeBinary, primary_key=True),
    Column("attempts", Double),
    _time("counted_at"),
    _time("blocked_until"),
)

audit_events = Table(
    "audit_events",
    metadata,
    Column("id", Uuid, primary_key=True),
    _time("occurred_at"),
    Column("kind", Text),
    Column("actor_kind", Text),
    Column("actor_id", Text),
    Column("subject_id", Uuid),
    Column("client_address", Text),
    Column("detail", JSONB),
)

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("state_hash", LargeBinary, primary_key=True),
    Column("browser_hash", LargeBinary),
    Column("redirect_uri", Text),
    Column("next_path", Text),
    _time("created_at"),
    _time("expires_at"),
)

identities = Table(
    "identities",
    metadata,
    Column("identity_hash", LargeBinary, primary_key=True),
    Column("user_id", Uuid),
    Column("made_the_user", Boolean),
    Column("closed_the_user", Boolean),
    _time("linked_at"),
)

provider_sessions = Table(
    "provider_sessions",
    metadata,
    Column("session_id", Uuid, primary_key=True),
    Column("identity_hash", LargeBinary),
    Column("sid_hash", LargeBinary),
)

provider_logouts = Table(
    "provider_logouts",
    metadata,
    Column("jti_hash", LargeBinary, primary_key=True),
    Column("identity_hash", LargeBinary),
    Column("sid_hash", LargeBinary),
    _time("issued_at"),
)
