-- The processes of this service that live, each with the migrations that its code knows. Written by the clock of this
-- database, and read by the migrator alone: nothing is taken away while a process lives that does not know of it.
CREATE TABLE service_instances (
    instance_id uuid NOT NULL,
    service text NOT NULL,
    role text NOT NULL,
    version text NOT NULL,
    schema_knows text[] NOT NULL,
    started_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    CONSTRAINT pk_service_instances PRIMARY KEY (instance_id)
);
