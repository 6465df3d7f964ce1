-- Logs, their records and patterns.
CREATE TABLE logs (
    id uuid PRIMARY KEY,
    version bigint NOT NULL CONSTRAINT ck_logs_version CHECK (version >= 1),
    name text NOT NULL CONSTRAINT ck_logs_name CHECK (name <> ''),
    service text NOT NULL,
    source text NOT NULL CONSTRAINT ck_logs_source CHECK (source IN ('PASTE', 'UPLOAD', 'STREAM')),
    state text NOT NULL CONSTRAINT ck_logs_state CHECK (state IN ('RECEIVED', 'SUMMARIZED', 'FAILED')),
    status text NOT NULL CONSTRAINT ck_logs_status CHECK (status IN ('OPEN', 'ACKNOWLEDGED', 'RESOLVED')),
    status_reason text NOT NULL DEFAULT '',
    severity smallint NOT NULL CONSTRAINT ck_logs_severity CHECK (severity IN (0, 1, 5, 9, 13, 17, 21)),
    record_count bigint NOT NULL CONSTRAINT ck_logs_record_count CHECK (record_count >= 0),
    line_count bigint NOT NULL,
    byte_count bigint NOT NULL,
    severity_counts jsonb NOT NULL,
    first_time_nanoseconds bigint,
    last_time_nanoseconds bigint,
    -- Ids of records rise with arrival, so this range finds the day partitions and most of the rows of a log.
    first_record_id uuid NOT NULL,
    last_record_id uuid NOT NULL,
    tags text [] NOT NULL DEFAULT '{}',
    notes text NOT NULL DEFAULT '',
    summary jsonb,
    failure text NOT NULL DEFAULT '',
    created_by_kind text NOT NULL,
    created_by_id text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT ck_logs_summary CHECK ((state = 'SUMMARIZED') = (summary IS NOT NULL)),
    CONSTRAINT ck_logs_failure CHECK ((state = 'FAILED') = (failure <> ''))
);
CREATE INDEX ix_logs_service ON logs (service, id);

-- Patterns are few and lines are many: a line keeps the pattern id that it got, and merged_into leads from there to
-- the pattern of today. It always names a pattern that is not merged itself.
CREATE TABLE log_patterns (
    id uuid PRIMARY KEY,
    version bigint NOT NULL CONSTRAINT ck_log_patterns_version CHECK (version >= 1),
    template text NOT NULL,
    service text NOT NULL,
    first_log_id uuid NOT NULL REFERENCES logs (id),
    merged_into uuid REFERENCES log_patterns (id),
    created_at timestamptz NOT NULL,
    CONSTRAINT ck_log_patterns_merged_into CHECK (merged_into <> id)
);
CREATE INDEX ix_log_patterns_live ON log_patterns (service, md5(template)) WHERE merged_into IS NULL;
CREATE INDEX ix_log_patterns_merged_into ON log_patterns (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX ix_log_patterns_first_log_id ON log_patterns (first_log_id);

-- Each template that a pattern had, and its merge as the last entry.
CREATE TABLE log_pattern_versions (
    pattern_id uuid NOT NULL REFERENCES log_patterns (id),
    version bigint NOT NULL,
    template text NOT NULL,
    merged_into uuid REFERENCES log_patterns (id),
    log_id uuid NOT NULL REFERENCES logs (id),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (pattern_id, version)
);

-- How many records of a log got which pattern id: adds up to logs.record_count without reading a line.
CREATE TABLE log_pattern_counts (
    log_id uuid NOT NULL REFERENCES logs (id),
    pattern_id uuid NOT NULL REFERENCES log_patterns (id),
    severity smallint NOT NULL,
    record_count bigint NOT NULL CONSTRAINT ck_log_pattern_counts_record_count CHECK (record_count >= 1),
    PRIMARY KEY (log_id, pattern_id, severity)
);

-- No foreign keys and few indexes here: lines arrive by COPY and never change.
CREATE TABLE log_records (
    id uuid NOT NULL,
    log_id uuid NOT NULL,
    pattern_id uuid NOT NULL,
    time_nanoseconds bigint,
    observed_time timestamptz NOT NULL,
    line_number integer NOT NULL,
    severity smallint NOT NULL,
    truncated boolean NOT NULL,
    severity_text text NOT NULL,
    service text NOT NULL,
    trace_id text NOT NULL,
    body text NOT NULL,
    attributes jsonb NOT NULL,
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);
CREATE INDEX ix_log_records_pattern_id ON log_records (pattern_id, id);
CREATE INDEX ix_log_records_time ON log_records USING brin (time_nanoseconds);

-- The smallest UUIDv7 of a day, which bounds its partition.
CREATE FUNCTION log_record_id_floor(day date) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = logs, pg_temp
AS $$
    SELECT (lpad(to_hex((day - DATE '1970-01-01')::bigint * 86400000), 12, '0') || '70008000000000000000')::uuid
$$;

-- Makes the partitions that are missing for a number of days. A running service may not create tables; this is the
-- one thing that it needs beyond DML. A partition is attached, not created in place: that waits for no writer.
CREATE FUNCTION ensure_log_record_partitions(
    days integer, first_day date DEFAULT (now() AT TIME ZONE 'UTC')::date
) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = logs, pg_temp
AS $$
DECLARE
    day date;
    partition_name text;
    created integer := 0;
BEGIN
    IF days NOT BETWEEN 1 AND 31 THEN
        RAISE EXCEPTION 'days must be 1 to 31, not %', days USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('logs.ensure_log_record_partitions', 0));
    FOR offset_days IN 0 .. days - 1 LOOP
        day := first_day + offset_days;
        partition_name := 'log_records_' || to_char(day, 'YYYYMMDD');
        CONTINUE WHEN to_regclass('logs.' || partition_name) IS NOT NULL;
        EXECUTE format('CREATE TABLE %I (LIKE log_records INCLUDING ALL)', partition_name);
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %I FROM logs_app', partition_name);
        EXECUTE format(
            'ALTER TABLE log_records ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
            partition_name, log_record_id_floor(day), log_record_id_floor(day + 1)
        );
        created := created + 1;
    END LOOP;
    RETURN created;
END
$$;
REVOKE ALL ON FUNCTION ensure_log_record_partitions(integer, date) FROM public;
GRANT EXECUTE ON FUNCTION ensure_log_record_partitions(integer, date) TO logs_app;

-- What arrived, and what a pattern was, stays as it is.
REVOKE UPDATE, DELETE, TRUNCATE ON log_records, log_pattern_versions, log_pattern_counts FROM logs_app;
REVOKE DELETE, TRUNCATE ON logs, log_patterns FROM logs_app;
