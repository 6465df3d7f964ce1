-- A decision that was not applied, since the ticket changed while the engine read, with what changed.
ALTER TABLE tickets ADD COLUMN suggestion jsonb;
