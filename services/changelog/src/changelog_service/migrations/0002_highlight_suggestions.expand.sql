-- Highlights that came when their changelog did not wait for them any more are kept beside it until a person decides.
-- A constant default writes no row; processes that do not know the column go on inserting and updating.
ALTER TABLE changelogs ADD COLUMN highlight_suggestions jsonb NOT NULL DEFAULT '[]';

-- A published changelog changes by its suggestions alone: one more, or one that a person has decided on. Its notes stay.
CREATE OR REPLACE FUNCTION keep_changelog() RETURNS trigger
LANGUAGE plpgsql
SET search_path = changelog, pg_temp
AS $$
BEGIN
    IF old.state = 'PUBLISHED' AND (
        new.highlight_suggestions = old.highlight_suggestions
        OR (new.state, new.published_at, new.published_by_kind, new.published_by_id)
        IS DISTINCT FROM (old.state, old.published_at, old.published_by_kind, old.published_by_id)
    ) THEN
        RAISE EXCEPTION 'changelog % is published and stays as it is', old.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF (new.id, new.repository_id, new.commit_count, new.entries, new.excluded, new.markdown, new.json, new.bump,
        new.bump_sha, new.previous_version, new.next_version, new.from_ref, new.to_ref, new.created_at,
        new.created_by_kind, new.created_by_id)
        IS DISTINCT FROM
        (old.id, old.repository_id, old.commit_count, old.entries, old.excluded, old.markdown, old.json, old.bump,
        old.bump_sha, old.previous_version, old.next_version, old.from_ref, old.to_ref, old.created_at,
        old.created_by_kind, old.created_by_id) THEN
        RAISE EXCEPTION 'the notes of changelog % stay as they were made', old.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN new;
END
$$;
