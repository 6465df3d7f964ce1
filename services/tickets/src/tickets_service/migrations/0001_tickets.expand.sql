-- Tickets, what is said on them, what triage decided, and the choices of this installation.
CREATE TABLE tickets (
    id uuid PRIMARY KEY,
    version bigint NOT NULL CONSTRAINT ck_tickets_version CHECK (version >= 1),
    title text NOT NULL CONSTRAINT ck_tickets_title CHECK (title <> ''),
    message text NOT NULL,
    reporter_user_id uuid,
    -- Somebody outside: personal data, in columns of its own and nowhere else.
    reporter_name text NOT NULL DEFAULT '',
    reporter_email text NOT NULL DEFAULT '',
    source text NOT NULL CONSTRAINT ck_tickets_source CHECK (source <> ''),
    external_reference text NOT NULL DEFAULT '',
    service text NOT NULL DEFAULT '',
    audience text NOT NULL CONSTRAINT ck_tickets_audience CHECK (audience IN ('GENERAL', 'PEOPLE')),
    people_suspected boolean NOT NULL DEFAULT false,
    audience_decided boolean NOT NULL DEFAULT false,
    -- What ops shall not know of. Computed here, so that no query can define it differently.
    hidden boolean NOT NULL GENERATED ALWAYS AS (people_suspected OR audience <> 'GENERAL') STORED,
    status text NOT NULL
    CONSTRAINT ck_tickets_status CHECK (status IN ('OPEN', 'IN_PROGRESS', 'WAITING', 'RESOLVED', 'CLOSED')),
    triage_state text NOT NULL CONSTRAINT ck_tickets_triage_state CHECK (triage_state IN ('PENDING', 'TRIAGED', 'FAILED')),
    triage_failure text NOT NULL DEFAULT '',
    triage_requested_at timestamptz NOT NULL,
    category text NOT NULL DEFAULT '',
    category_source text NOT NULL,
    priority text NOT NULL DEFAULT '',
    priority_source text NOT NULL,
    team text NOT NULL DEFAULT '',
    team_source text NOT NULL,
    assignee_id uuid,
    log_ids uuid [] NOT NULL DEFAULT '{}' CONSTRAINT ck_tickets_log_ids CHECK (cardinality(log_ids) <= 50),
    public_comment_count integer NOT NULL DEFAULT 0,
    internal_comment_count integer NOT NULL DEFAULT 0,
    created_by_kind text NOT NULL,
    created_by_id text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT ck_tickets_reporter CHECK (reporter_user_id IS NULL OR (reporter_name = '' AND reporter_email = '')),
    CONSTRAINT ck_tickets_triage_failure CHECK ((triage_state = 'FAILED') = (triage_failure <> '')),
    CONSTRAINT ck_tickets_sources CHECK (
        (category = '') = (category_source = 'UNSPECIFIED')
        AND (priority = '') = (priority_source = 'UNSPECIFIED')
        AND (team = '') = (team_source = 'UNSPECIFIED')
    )
);
CREATE INDEX ix_tickets_hidden ON tickets (id) WHERE hidden;
CREATE INDEX ix_tickets_reporter ON tickets (reporter_user_id, id) WHERE reporter_user_id IS NOT NULL;
CREATE INDEX ix_tickets_assignee ON tickets (assignee_id, id) WHERE assignee_id IS NOT NULL;
CREATE INDEX ix_tickets_reference ON tickets (source, external_reference) WHERE external_reference <> '';
CREATE INDEX ix_tickets_service ON tickets (service, id) WHERE service <> '';
-- No list of pending entries: each log of a page would read all of it.
CREATE INDEX ix_tickets_log_ids ON tickets USING gin (log_ids) WITH (fastupdate = off);
-- Any part of a word is found with it, from three characters on.
CREATE INDEX ix_tickets_text ON tickets USING gin ((title || E'\n' || message) extensions.gin_trgm_ops);

CREATE TABLE ticket_comments (
    id uuid PRIMARY KEY,
    ticket_id uuid NOT NULL REFERENCES tickets (id),
    body text NOT NULL CONSTRAINT ck_ticket_comments_body CHECK (body <> ''),
    internal boolean NOT NULL,
    author_kind text NOT NULL,
    author_id text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX ix_ticket_comments_ticket_id ON ticket_comments (ticket_id, id);

-- What an engine answered, whole and as it was checked; the newest row of a ticket is the one that counts.
CREATE TABLE triage_decisions (
    id uuid PRIMARY KEY,
    ticket_id uuid NOT NULL REFERENCES tickets (id),
    ticket_version bigint NOT NULL,
    engine text NOT NULL,
    decision jsonb NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX ix_triage_decisions_ticket_id ON triage_decisions (ticket_id, id);

CREATE TABLE ticket_options (
    id uuid PRIMARY KEY,
    version bigint NOT NULL CONSTRAINT ck_ticket_options_version CHECK (version >= 1),
    kind text NOT NULL CONSTRAINT ck_ticket_options_kind CHECK (kind IN ('CATEGORY', 'PRIORITY', 'TEAM')),
    key text NOT NULL CONSTRAINT ck_ticket_options_key CHECK (key ~ '^[a-z][a-z0-9_-]{0,49}$'),
    name text NOT NULL CONSTRAINT ck_ticket_options_name CHECK (name <> ''),
    description text NOT NULL,
    position integer NOT NULL,
    audience text NOT NULL CONSTRAINT ck_ticket_options_audience CHECK (audience IN ('GENERAL', 'PEOPLE')),
    archived boolean NOT NULL DEFAULT false,
    CONSTRAINT uq_ticket_options_key UNIQUE (kind, key)
);

-- What was said and what was decided stays as it is; tickets and options are never deleted.
REVOKE UPDATE, DELETE, TRUNCATE ON ticket_comments, triage_decisions FROM tickets_app;
REVOKE DELETE, TRUNCATE ON tickets, ticket_options FROM tickets_app;
