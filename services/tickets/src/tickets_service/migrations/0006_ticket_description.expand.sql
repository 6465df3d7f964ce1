-- A ticket's message becomes its description, and its priority an ordered level (ADR 0038). Until the old columns are
-- dropped, a trigger keeps both pairs equal whichever is written: an old process writes the old ones, a new one both.
ALTER TABLE tickets ADD COLUMN description text;
ALTER TABLE tickets ADD COLUMN priority_rank smallint;
ALTER TABLE ticket_options ADD COLUMN priority_level smallint;

-- Null stands for NORMAL: what an old process makes has none.
UPDATE ticket_options
SET priority_level = CASE key WHEN 'urgent' THEN 4 WHEN 'high' THEN 3 WHEN 'normal' THEN 2 WHEN 'low' THEN 1 END
WHERE kind = 'PRIORITY' AND key IN ('urgent', 'high', 'normal', 'low');

ALTER TABLE ticket_options ADD CONSTRAINT ck_ticket_options_priority_level
CHECK (priority_level IS NULL OR (kind = 'PRIORITY' AND priority_level BETWEEN 1 AND 4)) NOT VALID;
ALTER TABLE tickets ADD CONSTRAINT ck_tickets_description CHECK (description IS NOT NULL) NOT VALID;
ALTER TABLE tickets ADD CONSTRAINT ck_tickets_priority_rank CHECK (priority_rank BETWEEN 1 AND 4) NOT VALID;
ALTER TABLE tickets ADD CONSTRAINT ck_tickets_priority_given
CHECK ((priority_rank IS NULL) = (priority_source = 'UNSPECIFIED')) NOT VALID;

-- The level that a key stands for; the option is held until the end, so that its level does not change meanwhile.
CREATE FUNCTION ticket_priority_rank(priority text) RETURNS smallint LANGUAGE plpgsql
SET search_path = tickets, pg_temp
AS $$
DECLARE
    level smallint;
BEGIN
    IF priority = '' THEN
        RETURN NULL;
    END IF;
    SELECT o.priority_level INTO level FROM ticket_options AS o
    WHERE o.kind = 'PRIORITY' AND o.key = priority FOR SHARE;
    RETURN coalesce(level, 2);
END
$$;

-- The key that stands for a level: of several the one that is offered first.
CREATE FUNCTION ticket_priority_key(level smallint) RETURNS text LANGUAGE sql STABLE
SET search_path = tickets, pg_temp
AS $$
    SELECT coalesce((
        SELECT o.key FROM ticket_options AS o
        WHERE o.kind = 'PRIORITY' AND coalesce(o.priority_level, 2) = level
        ORDER BY o.archived, o.position, o.key LIMIT 1
    ), '')
$$;

CREATE FUNCTION sync_ticket_description() RETURNS trigger LANGUAGE plpgsql
SET search_path = tickets, pg_temp
AS $$
DECLARE
    old_text text;
    new_text text;
    old_key text := '';
    new_rank smallint;
    rank smallint;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        old_text := OLD.message;
        new_text := OLD.description;
        old_key := OLD.priority;
        new_rank := OLD.priority_rank;
    END IF;
    IF NEW.description IS NOT DISTINCT FROM new_text THEN
        NEW.description := NEW.message;
    ELSIF NEW.message IS NOT DISTINCT FROM old_text THEN
        NEW.message := NEW.description;
    ELSIF NEW.message IS DISTINCT FROM NEW.description THEN
        RAISE EXCEPTION 'message and description of ticket % were set to different texts in one write', NEW.id
            USING ERRCODE = 'check_violation', HINT = 'Write one of them, or the same to both.';
    END IF;

    IF NEW.priority_rank IS NOT DISTINCT FROM new_rank THEN
        IF NEW.priority <> old_key OR (NEW.priority_rank IS NULL AND NEW.priority <> '') THEN
            NEW.priority_rank := ticket_priority_rank(NEW.priority);
        END IF;
    ELSE
        rank := ticket_priority_rank(NEW.priority);
        IF NEW.priority_rank IS DISTINCT FROM rank AND NEW.priority <> old_key THEN
            RAISE EXCEPTION 'priority and priority_rank of ticket % were set to different priorities in one write', NEW.id
                USING ERRCODE = 'check_violation', HINT = 'Write one of them, or what agrees.';
        ELSIF NEW.priority_rank IS DISTINCT FROM rank THEN
            NEW.priority := CASE WHEN NEW.priority_rank IS NULL THEN '' ELSE ticket_priority_key(NEW.priority_rank) END;
        END IF;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER sync_ticket_description BEFORE INSERT OR UPDATE ON tickets
FOR EACH ROW EXECUTE FUNCTION sync_ticket_description();
