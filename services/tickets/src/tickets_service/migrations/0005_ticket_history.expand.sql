-- The history of tickets (ADR 0036).
CREATE TABLE ticket_changes (
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
    CONSTRAINT pk_ticket_changes PRIMARY KEY (id, version),
    CONSTRAINT ck_ticket_changes_version CHECK (version >= 1)
);

CREATE INDEX ix_ticket_changes_changed_at ON ticket_changes USING brin (changed_at);

CREATE TABLE ticket_snapshots (
    id uuid NOT NULL,
    version bigint NOT NULL,
    schema_version integer NOT NULL,
    state jsonb NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT pk_ticket_snapshots PRIMARY KEY (id, version)
);

REVOKE UPDATE, DELETE, TRUNCATE ON ticket_changes, ticket_snapshots FROM tickets_app;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ticket_changes
FOR EACH STATEMENT EXECUTE FUNCTION refuse_history_change();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ticket_snapshots
FOR EACH STATEMENT EXECUTE FUNCTION refuse_history_change();
