-- What every service's schema holds beside its own tables. Names are unqualified: the schema is the search_path.

-- Facts on their way to NATS, written in the transaction of the change that they tell of.
CREATE TABLE outbox (
    seq bigint GENERATED ALWAYS AS IDENTITY,
    event_id uuid NOT NULL,
    aggregate_type text NOT NULL,
    aggregate_id uuid NOT NULL,
    aggregate_version bigint NOT NULL,
    subject text NOT NULL,
    payload bytea NOT NULL,
    created_at timestamptz NOT NULL,
    published_at timestamptz,
    attempts bigint NOT NULL DEFAULT 0,
    CONSTRAINT pk_outbox PRIMARY KEY (seq),
    CONSTRAINT uq_outbox_event_id UNIQUE (event_id),
    CONSTRAINT uq_outbox_aggregate_version UNIQUE (aggregate_id, aggregate_version),
    CONSTRAINT ck_outbox_aggregate_version CHECK (aggregate_version >= 1)
);

-- The relay's whole view of the table: the rows that still wait, in order.
CREATE INDEX ix_outbox_unpublished ON outbox (seq) WHERE published_at IS NULL;

-- Pruning after seven days, and republishing since a moment.
CREATE INDEX ix_outbox_published_at ON outbox (published_at) WHERE published_at IS NOT NULL;

-- One row per event that a consumer has taken effect of, written in the transaction of the effect.
CREATE TABLE inbox (
    consumer text NOT NULL,
    event_id uuid NOT NULL,
    handled_at timestamptz NOT NULL,
    CONSTRAINT pk_inbox PRIMARY KEY (consumer, event_id)
);

CREATE INDEX ix_inbox_handled_at ON inbox (handled_at);

-- Writes that came with an idempotency key: the key as a digest, the response sealed under the key.
CREATE TABLE idempotency_keys (
    principal text NOT NULL,
    operation text NOT NULL,
    key_hash bytea NOT NULL,
    fingerprint bytea,
    response bytea,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT pk_idempotency_keys PRIMARY KEY (principal, operation, key_hash)
);

CREATE INDEX ix_idempotency_keys_expires_at ON idempotency_keys (expires_at);

-- Events that a consumer could not take effect of, kept until a person decides.
CREATE TABLE dead_letters (
    id uuid NOT NULL,
    consumer text NOT NULL,
    stream text NOT NULL,
    stream_sequence bigint NOT NULL,
    subject text NOT NULL,
    event_id uuid,
    payload bytea NOT NULL,
    error_class text NOT NULL,
    error_message text NOT NULL,
    attempts bigint NOT NULL,
    trace_id text NOT NULL,
    created_at timestamptz NOT NULL,
    redriven_at timestamptz,
    CONSTRAINT pk_dead_letters PRIMARY KEY (id),
    CONSTRAINT uq_dead_letters_message UNIQUE (consumer, stream, stream_sequence)
);

CREATE INDEX ix_dead_letters_waiting ON dead_letters (created_at) WHERE redriven_at IS NULL;
