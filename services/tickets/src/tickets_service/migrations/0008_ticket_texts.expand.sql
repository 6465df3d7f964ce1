-- What people wrote before redaction, sealed for those whose words it is (ADR 0045); only where redaction changed it.
-- A row goes with its text: a new title replaces it, or takes it away.
CREATE TABLE ticket_texts (
    ticket_id uuid NOT NULL REFERENCES tickets (id),
    -- The ticket itself, or one of its comments.
    thing_id uuid NOT NULL,
    field text NOT NULL CONSTRAINT ck_ticket_texts_field CHECK (field IN ('title', 'description', 'body')),
    sealed jsonb NOT NULL,
    CONSTRAINT pk_ticket_texts PRIMARY KEY (ticket_id, thing_id, field)
);

REVOKE TRUNCATE ON ticket_texts FROM tickets_app;
