-- A summary that came when its log did not wait for it any more is kept beside the log until a person decides.
-- A constant default writes no row; processes that know neither column go on inserting and updating.
ALTER TABLE logs
ADD COLUMN summary_requested_version bigint NOT NULL DEFAULT 1,
ADD COLUMN summary_suggestions jsonb NOT NULL DEFAULT '[]';
