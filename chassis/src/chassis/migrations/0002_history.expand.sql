-- What the history of changes needs in every schema. The tables of each kind are made by the service that owns it.

-- One key for each person whose values stand in a history, sealed under the installation's key. Without it they are gone.
CREATE TABLE subject_keys (
    subject text NOT NULL,
    generation integer NOT NULL,
    sealed_key bytea,
    created_at timestamptz NOT NULL,
    erased_at timestamptz,
    CONSTRAINT pk_subject_keys PRIMARY KEY (subject),
    CONSTRAINT ck_subject_keys_generation CHECK (generation >= 1)
);

-- What was signed about the ends of the chains, until and after it is told outside of this database.
CREATE TABLE history_anchors (
    kind text NOT NULL,
    sequence bigint NOT NULL,
    anchored_at timestamptz NOT NULL,
    line text NOT NULL,
    line_hash bytea NOT NULL,
    delivered_at timestamptz,
    CONSTRAINT pk_history_anchors PRIMARY KEY (kind, sequence),
    CONSTRAINT ck_history_anchors_sequence CHECK (sequence >= 1)
);

-- What was written stays as it was: for everybody, the owner included.
CREATE FUNCTION refuse_history_change() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'history is append-only: % of % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;

-- A running service drops no key, and says of an anchor only that it was delivered.
DO $$
DECLARE
    app text := current_schema() || '_app';
BEGIN
    EXECUTE format('REVOKE DELETE, TRUNCATE ON subject_keys FROM %I', app);
    EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON history_anchors FROM %I', app);
    EXECUTE format('GRANT UPDATE (delivered_at) ON history_anchors TO %I', app);
END
$$;
