-- What operating the events needs: order per aggregate in the inbox, letters that can be redriven, consumers that hold.

-- Which version of its aggregate an event was, to see by which event another one was overtaken.
ALTER TABLE inbox ADD COLUMN aggregate_id uuid;
ALTER TABLE inbox ADD COLUMN aggregate_version bigint;

-- The newest version that a consumer has taken effect of. Its row is what two processes with events of one aggregate
-- wait at, so the older one sees that it comes too late.
CREATE TABLE inbox_versions (
    consumer text NOT NULL,
    aggregate_id uuid NOT NULL,
    aggregate_version bigint NOT NULL,
    handled_at timestamptz NOT NULL,
    CONSTRAINT pk_inbox_versions PRIMARY KEY (consumer, aggregate_id)
);

CREATE INDEX ix_inbox_versions_handled_at ON inbox_versions (handled_at);

-- A wish to handle the event again, who had it, who works on it just now, and how often it was tried.
ALTER TABLE dead_letters ADD COLUMN redrive_requested_at timestamptz;
ALTER TABLE dead_letters ADD COLUMN redrive_requested_by text NOT NULL DEFAULT '';
ALTER TABLE dead_letters ADD COLUMN redrive_started_at timestamptz;
ALTER TABLE dead_letters ADD COLUMN redrives bigint NOT NULL DEFAULT 0;

-- Consumers that gave up too many events in a row: held while released_at is null.
CREATE TABLE consumer_holds (
    consumer text NOT NULL,
    held_at timestamptz NOT NULL,
    released_at timestamptz,
    CONSTRAINT pk_consumer_holds PRIMARY KEY (consumer)
);

-- How often a fact was told again on request: a part of its Nats-Msg-Id, or NATS would take it for a repeat.
ALTER TABLE outbox ADD COLUMN republished bigint NOT NULL DEFAULT 0;
