-- People, sessions, machine credentials, signing keys and the audit of them. Names are unqualified: the schema is the search_path.
-- Secrets are here as SHA-256 digests, passwords as bcrypt hashes, private keys sealed with a key that lives outside.

CREATE TABLE users (
    id uuid NOT NULL,
    version bigint NOT NULL,
    email text NOT NULL,
    -- The form in which two spellings of one address are equal.
    email_key text NOT NULL,
    display_name text NOT NULL,
    role text,
    status text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT pk_users PRIMARY KEY (id),
    CONSTRAINT uq_users_email_key UNIQUE (email_key),
    CONSTRAINT ck_users_version CHECK (version >= 1),
    CONSTRAINT ck_users_role CHECK (role IN ('admin', 'ops', 'hr')),
    CONSTRAINT ck_users_status CHECK (status IN ('invited', 'active', 'deactivated'))
);

-- The rows that every change of roles locks, so that two admins cannot demote each other.
CREATE INDEX ix_users_active_admins ON users (id) WHERE role = 'admin' AND status = 'active';

-- Apart from users, so that no read of users can carry a hash; a rehash at log-in is no change of the user.
CREATE TABLE passwords (
    user_id uuid NOT NULL,
    hash text NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT pk_passwords PRIMARY KEY (user_id),
    CONSTRAINT fk_passwords_user FOREIGN KEY (user_id) REFERENCES users (id)
);

-- One row at most: whether the first account was made, and with which token it may be.
CREATE TABLE setup (
    singleton boolean NOT NULL DEFAULT TRUE,
    token_hash bytea NOT NULL,
    created_at timestamptz NOT NULL,
    consumed_at timestamptz,
    CONSTRAINT pk_setup PRIMARY KEY (singleton),
    CONSTRAINT ck_setup_singleton CHECK (singleton)
);

CREATE TABLE invitations (
    token_hash bytea NOT NULL,
    user_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    CONSTRAINT pk_invitations PRIMARY KEY (token_hash),
    CONSTRAINT fk_invitations_user FOREIGN KEY (user_id) REFERENCES users (id)
);

-- One open invitation per person: a new one replaces the one before.
CREATE UNIQUE INDEX uq_invitations_open ON invitations (user_id) WHERE used_at IS NULL;

-- A session is the family of its refresh tokens and the sid of its access tokens.
CREATE TABLE sessions (
    id uuid NOT NULL,
    version bigint NOT NULL,
    user_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    revocation_cause text,
    CONSTRAINT pk_sessions PRIMARY KEY (id),
    CONSTRAINT fk_sessions_user FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT ck_sessions_version CHECK (version >= 1),
    CONSTRAINT ck_sessions_revoked CHECK ((revoked_at IS NULL) = (revocation_cause IS NULL)),
    CONSTRAINT ck_sessions_revocation_cause CHECK (
        revocation_cause IN ('logged_out', 'refresh_token_reused', 'user_deactivated', 'password_changed')
    )
);

CREATE INDEX ix_sessions_open ON sessions (user_id) WHERE revoked_at IS NULL;
CREATE INDEX ix_sessions_expires_at ON sessions (expires_at);

-- Generation n was got for generation n-1 of the same session: one successor at most, whoever races.
CREATE TABLE refresh_tokens (
    token_hash bytea NOT NULL,
    session_id uuid NOT NULL,
    generation bigint NOT NULL,
    issued_at timestamptz NOT NULL,
    used_at timestamptz,
    CONSTRAINT pk_refresh_tokens PRIMARY KEY (token_hash),
    CONSTRAINT fk_refresh_tokens_session FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE CASCADE,
    CONSTRAINT uq_refresh_tokens_generation UNIQUE (session_id, generation),
    CONSTRAINT ck_refresh_tokens_generation CHECK (generation >= 1)
);

CREATE TABLE service_accounts (
    id uuid NOT NULL,
    name text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_service_accounts PRIMARY KEY (id),
    CONSTRAINT uq_service_accounts_name UNIQUE (name)
);

CREATE TABLE api_tokens (
    id uuid NOT NULL,
    version bigint NOT NULL,
    service_account_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    prefix text NOT NULL,
    scopes text [] NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    -- To the minute, and outside the version: use is no change.
    last_used_at timestamptz,
    CONSTRAINT pk_api_tokens PRIMARY KEY (id),
    CONSTRAINT fk_api_tokens_service_account FOREIGN KEY (service_account_id) REFERENCES service_accounts (id),
    CONSTRAINT uq_api_tokens_token_hash UNIQUE (token_hash),
    CONSTRAINT ck_api_tokens_version CHECK (version >= 1),
    CONSTRAINT ck_api_tokens_scopes CHECK (cardinality(scopes) >= 1)
);

CREATE TABLE signing_keys (
    kid text NOT NULL,
    public_jwk jsonb NOT NULL,
    sealed_private_key bytea,
    state text NOT NULL,
    created_at timestamptz NOT NULL,
    activated_at timestamptz,
    retired_at timestamptz,
    CONSTRAINT pk_signing_keys PRIMARY KEY (kid),
    CONSTRAINT ck_signing_keys_state CHECK (state IN ('next', 'current', 'retired')),
    -- A retired key cannot sign: its private half is gone.
    CONSTRAINT ck_signing_keys_private CHECK ((state = 'retired') = (sealed_private_key IS NULL))
);

CREATE UNIQUE INDEX uq_signing_keys_live ON signing_keys (state) WHERE state <> 'retired';

-- Attempts, by the digest of what they are counted for: what people type into a log-in form is not kept.
CREATE TABLE throttles (
    subject_hash bytea NOT NULL,
    attempts double precision NOT NULL,
    counted_at timestamptz NOT NULL,
    blocked_until timestamptz NOT NULL,
    CONSTRAINT pk_throttles PRIMARY KEY (subject_hash)
);

CREATE INDEX ix_throttles_counted_at ON throttles (counted_at);

-- Who did what to whom, without secrets. The service can add to it and read it, nothing else.
CREATE TABLE audit_events (
    id uuid NOT NULL,
    occurred_at timestamptz NOT NULL,
    kind text NOT NULL,
    actor_kind text NOT NULL,
    actor_id text NOT NULL,
    subject_id uuid,
    client_address text NOT NULL,
    detail jsonb NOT NULL,
    CONSTRAINT pk_audit_events PRIMARY KEY (id)
);

CREATE INDEX ix_audit_events_subject ON audit_events (subject_id, id);

REVOKE UPDATE, DELETE ON audit_events FROM auth_app;
