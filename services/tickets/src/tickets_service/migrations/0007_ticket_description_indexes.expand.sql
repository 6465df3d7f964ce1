-- aiops: no transaction
-- The twin of ix_tickets_text, and the order of priorities; built beside the traffic. What a crash left is built anew.
DROP INDEX CONCURRENTLY IF EXISTS ix_tickets_description_text;
CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_tickets_description_text
ON tickets USING gin ((title || E'\n' || description) extensions.gin_trgm_ops);
DROP INDEX CONCURRENTLY IF EXISTS ix_tickets_priority_rank;
CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_tickets_priority_rank
ON tickets (coalesce(priority_rank, 0::smallint) DESC, id DESC);
