-- Which access tokens are void before their time, for as long as one of them could still be shown; see docs/adr/0046.
CREATE TABLE revocations (
    -- Of a session, an API token or a user: no two of them have the same.
    id uuid NOT NULL,
    -- Of a user: tokens made for an earlier version of him are void.
    version bigint NOT NULL,
    revoked_at timestamptz NOT NULL DEFAULT now(),
    -- A reader asks for all from the oldest transaction that ran when it asked last: no commit comes too late to be seen.
    transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT pk_revocations PRIMARY KEY (id)
);

CREATE INDEX ix_revocations_transaction_id ON revocations (transaction_id);
CREATE INDEX ix_revocations_revoked_at ON revocations (revoked_at);

-- One-time tokens with which somebody sets a new password: made by an admin, good for an hour.
CREATE TABLE password_resets (
    token_hash bytea NOT NULL,
    user_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    CONSTRAINT pk_password_resets PRIMARY KEY (token_hash),
    CONSTRAINT fk_password_resets_user FOREIGN KEY (user_id) REFERENCES users (id)
);

-- One open link per person: a new one replaces the one before.
CREATE UNIQUE INDEX uq_password_resets_open ON password_resets (user_id) WHERE used_at IS NULL;
CREATE INDEX ix_password_resets_expires_at ON password_resets (expires_at);
