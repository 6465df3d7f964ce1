-- Who saw or changed what is sensitive, when, why and through which path; see docs/adr/0050.
CREATE TABLE audit_trail (
    id uuid NOT NULL,
    occurred_at timestamptz NOT NULL,
    kind text NOT NULL,
    actor_kind text NOT NULL,
    actor_id text NOT NULL,
    subject_type text NOT NULL,
    subject_ids uuid [] NOT NULL,
    operation text NOT NULL,
    path text NOT NULL,
    client_address text NOT NULL,
    reason text NOT NULL,
    trace_id text NOT NULL,
    detail jsonb NOT NULL,
    CONSTRAINT pk_audit_trail PRIMARY KEY (id)
);

-- Pages of all, the newest first; what one actor did; who saw one subject.
CREATE INDEX ix_audit_trail_occurred_at ON audit_trail (occurred_at, id);
CREATE INDEX ix_audit_trail_actor ON audit_trail (actor_id, occurred_at, id);
CREATE INDEX ix_audit_trail_subject_ids ON audit_trail USING gin (subject_ids);

-- What was written stays: for everybody, the owner included. He alone blanks the address of a person who is erased, and
-- deletes what is older than the retention, by a command that says so.
CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF current_setting('aiops.audit_prune', true) = 'on' AND OLD.occurred_at < now() - interval '30 days' THEN
            RETURN OLD;
        END IF;
    ELSIF TG_OP = 'UPDATE' THEN
        IF NEW.client_address = '' AND to_jsonb(NEW) - 'client_address' = to_jsonb(OLD) - 'client_address' THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit is append-only: % of % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_trail
FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();

CREATE TRIGGER never_emptied BEFORE TRUNCATE ON audit_trail
FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();

DO $$
BEGIN
    EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON audit_trail FROM %I', current_schema() || '_app');
END
$$;
