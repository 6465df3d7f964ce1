-- Every change of a log, with its inverse and its place in a chain of hashes; see docs/adr/0036.
CREATE TABLE log_changes (
    id uuid NOT NULL,
    version bigint NOT NULL,
    schema_version integer NOT NULL,
    event text NOT NULL,
    reason text NOT NULL,
    actor_kind text NOT NULL,
    actor_id text NOT NULL,
    changed_at timestamptz NOT NULL,
    trace_id text NOT NULL,
    patch jsonb NOT NULL,
    inverse jsonb NOT NULL,
    previous_hash bytea NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT pk_log_changes PRIMARY KEY (id, version),
    CONSTRAINT ck_log_changes_version CHECK (version >= 1)
);

-- Rows come in the order of time, so a few pages of index find what is new since the last anchor.
CREATE INDEX ix_log_changes_changed_at ON log_changes USING brin (changed_at);

CREATE TABLE log_snapshots (
    id uuid NOT NULL,
    version bigint NOT NULL,
    schema_version integer NOT NULL,
    state jsonb NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT pk_log_snapshots PRIMARY KEY (id, version)
);

-- Append-only: by right for the running service, by trigger for everybody.
REVOKE UPDATE, DELETE, TRUNCATE ON log_changes, log_snapshots FROM logs_app;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log_changes
FOR EACH STATEMENT EXECUTE FUNCTION refuse_history_change();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log_snapshots
FOR EACH STATEMENT EXECUTE FUNCTION refuse_history_change();
