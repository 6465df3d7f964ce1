-- What was noted before there was a trail.
WITH batch AS (
    SELECT * FROM audit_events
    WHERE :cursor = '' OR id > CAST(nullif(:cursor, '') AS uuid)
    ORDER BY id
    LIMIT :rows
),

copied AS (
    INSERT INTO audit_trail (
        id, occurred_at, kind, actor_kind, actor_id, subject_type, subject_ids,
        operation, path, client_address, reason, trace_id, detail
    )
    SELECT
        id, occurred_at, kind, actor_kind, actor_id,
        CASE WHEN kind LIKE 'api_token.%' THEN 'api_token' ELSE 'user' END,
        array_remove(ARRAY[subject_id], NULL), '', '', client_address, '', '', detail
    FROM batch
    ON CONFLICT (id) DO NOTHING
)

SELECT
    CASE WHEN count(*) < :rows THEN '' ELSE max(CAST(id AS text)) END,
    count(*)
FROM batch;
