-- Runs: one row per answer, written once. Names are unqualified: the schema is the search_path.

CREATE TABLE runs (
    id uuid NOT NULL,
    task text NOT NULL,
    engine text NOT NULL,
    -- Empty for the built-in engine.
    model text NOT NULL,
    prompt_version integer NOT NULL,
    -- SHA-256 of the input in hex; with prompt_version and model it names an answer that could be given again.
    input_digest text NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    latency_milliseconds bigint NOT NULL,
    attempt_count integer NOT NULL,
    -- Null when the configured engine answered.
    fallback_reason text,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_runs PRIMARY KEY (id),
    CONSTRAINT ck_runs_engine CHECK (engine IN ('builtin', 'openai')),
    CONSTRAINT ck_runs_input_digest CHECK (input_digest ~ '^[0-9a-f]{64}$'),
    CONSTRAINT ck_runs_fallback CHECK (fallback_reason IS NULL OR engine = 'builtin'),
    CONSTRAINT ck_runs_counts CHECK (
        prompt_version >= 0 AND input_tokens >= 0 AND output_tokens >= 0
        AND latency_milliseconds >= 0 AND attempt_count >= 0
    )
);

-- A record of what was done is not corrected by those who did it.
REVOKE UPDATE, DELETE, TRUNCATE ON runs FROM ai_app;
