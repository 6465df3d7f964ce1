-- Every change of a user, with its inverse and its place in a chain of hashes; see docs/adr/0036.
CREATE TABLE user_changes (
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
    CONSTRAINT pk_user_changes PRIMARY KEY (id, version),
    CONSTRAINT ck_user_changes_version CHECK (version >= 1)
);

-- Rows come in the order of time, so a few pages of index find what is new since the last anchor.
CREATE INDEX ix_user_changes_changed_at ON user_changes USING brin (changed_at);

CREATE TABLE user_snapshots (
    id uuid NOT NULL,
    version bigint NOT NULL,
    schema_version integer NOT NULL,
    state jsonb NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT pk_user_snapshots PRIMARY KEY (id, version)
);

-- Append-only: by right for the running service, by trigger for everybody.
REVOKE UPDATE, DELETE, TRUNCATE ON user_changes, user_snapshots FROM auth_app;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON user_changes
FOR EACH STATEMENT EXECUTE FUNCTION refuse_history_change();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON user_snapshots
FOR EACH STATEMENT EXECUTE FUNCTION refuse_history_change();
