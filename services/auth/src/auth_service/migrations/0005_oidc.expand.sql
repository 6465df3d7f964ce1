-- Sign-in through an OpenID provider (docs/adr/0047). What the provider calls people and sessions is kept as digests.

-- A sign-in that has begun. State and browser secret are told to the browser alone; PKCE verifier and nonce follow from
-- the secret, so nothing here opens anything.
CREATE TABLE sign_ins (
    state_hash bytea NOT NULL,
    browser_hash bytea NOT NULL,
    redirect_uri text NOT NULL,
    next_path text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT pk_sign_ins PRIMARY KEY (state_hash)
);

CREATE INDEX ix_sign_ins_expires_at ON sign_ins (expires_at);

-- Who of the provider is whose account, by issuer and subject.
CREATE TABLE identities (
    identity_hash bytea NOT NULL,
    user_id uuid NOT NULL,
    made_the_user boolean NOT NULL,
    closed_the_user boolean NOT NULL,
    linked_at timestamptz NOT NULL,
    CONSTRAINT pk_identities PRIMARY KEY (identity_hash),
    CONSTRAINT fk_identities_user FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT uq_identities_user UNIQUE (user_id)
);

-- Which sessions began at the provider, so that it can end them.
CREATE TABLE provider_sessions (
    session_id uuid NOT NULL,
    identity_hash bytea NOT NULL,
    sid_hash bytea,
    CONSTRAINT pk_provider_sessions PRIMARY KEY (session_id),
    CONSTRAINT fk_provider_sessions_session FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE CASCADE
);

CREATE INDEX ix_provider_sessions_identity ON provider_sessions (identity_hash);
CREATE INDEX ix_provider_sessions_sid ON provider_sessions (sid_hash);

-- Logout tokens that came: each counts once, and against a sign-in that was under way.
CREATE TABLE provider_logouts (
    jti_hash bytea NOT NULL,
    identity_hash bytea,
    sid_hash bytea,
    issued_at timestamptz NOT NULL,
    CONSTRAINT pk_provider_logouts PRIMARY KEY (jti_hash)
);

CREATE INDEX ix_provider_logouts_issued_at ON provider_logouts (issued_at);
