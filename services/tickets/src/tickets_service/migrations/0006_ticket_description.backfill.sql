-- The trigger fills both new columns of a row that is written; a row that has them is left alone.
WITH batch AS (
    SELECT id, message FROM tickets
    WHERE :cursor = '' OR id > CAST(nullif(:cursor, '') AS uuid)
    ORDER BY id
    LIMIT :rows
    FOR UPDATE
),

filled AS (
    UPDATE tickets AS t SET description = b.message
    FROM batch AS b
    WHERE t.id = b.id AND (t.description IS NULL OR (t.priority <> '' AND t.priority_rank IS NULL))
)

SELECT
    CASE WHEN count(*) < :rows THEN '' ELSE max(CAST(id AS text)) END,
    count(*)
FROM batch;
