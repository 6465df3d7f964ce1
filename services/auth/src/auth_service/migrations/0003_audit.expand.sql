-- The audit has one form in all schemas, audit_trail. What an older version still writes to its own table goes there too.
CREATE FUNCTION copy_audit_event() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    INSERT INTO audit_trail (
        id, occurred_at, kind, actor_kind, actor_id, subject_type, subject_ids,
        operation, path, client_address, reason, trace_id, detail
    )
    VALUES (
        NEW.id, NEW.occurred_at, NEW.kind, NEW.actor_kind, NEW.actor_id,
        CASE WHEN NEW.kind LIKE 'api_token.%' THEN 'api_token' ELSE 'user' END,
        array_remove(ARRAY[NEW.subject_id], NULL), '', '', NEW.client_address, '', '', NEW.detail
    )
    ON CONFLICT (id) DO NOTHING;
    RETURN NULL;
END
$$;

CREATE TRIGGER copy_to_trail AFTER INSERT ON audit_events
FOR EACH ROW EXECUTE FUNCTION copy_audit_event();
