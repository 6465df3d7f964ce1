-- Repositories, their commits, changelogs and deployments.
CREATE TABLE repositories (
    id uuid PRIMARY KEY,
    version bigint NOT NULL CONSTRAINT ck_repositories_version CHECK (version >= 1),
    name text NOT NULL CONSTRAINT ck_repositories_name CHECK (name <> ''),
    -- The name without the difference of case.
    name_key text NOT NULL COLLATE "C" CONSTRAINT uq_repositories_name_key UNIQUE,
    services text [] NOT NULL,
    commit_count bigint NOT NULL CONSTRAINT ck_repositories_commit_count CHECK (commit_count >= 0),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE commits (
    id uuid PRIMARY KEY,
    repository_id uuid NOT NULL REFERENCES repositories (id),
    sha text NOT NULL COLLATE "C" CONSTRAINT ck_commits_sha CHECK (sha ~ '^([0-9a-f]{40}|[0-9a-f]{64})$'),
    message text NOT NULL,
    author_name text NOT NULL,
    author_email text NOT NULL,
    committed_at timestamptz,
    parent_shas text [] NOT NULL,
    paths text [] NOT NULL,
    type text NOT NULL,
    scope text NOT NULL,
    breaking boolean NOT NULL,
    conventional boolean NOT NULL,
    -- C collation, so that the start of a hash finds its range of the index.
    CONSTRAINT uq_commits_repository_id_sha UNIQUE (repository_id, sha)
);
-- The pages of commits, and the commits before a moment: of all repositories, and of one. Without a time they come last.
CREATE INDEX ix_commits_committed_at ON commits (
    (coalesce(committed_at, timestamptz '0001-01-01 00:00:00+00')) DESC, id DESC
);
CREATE INDEX ix_commits_repository_id_committed_at ON commits (
    repository_id, (coalesce(committed_at, timestamptz '0001-01-01 00:00:00+00')) DESC, id DESC
);

-- A tag names one commit of a repository.
CREATE TABLE tags (
    repository_id uuid NOT NULL REFERENCES repositories (id),
    name text NOT NULL COLLATE "C",
    commit_id uuid NOT NULL REFERENCES commits (id),
    PRIMARY KEY (repository_id, name)
);
CREATE INDEX ix_tags_commit_id ON tags (commit_id);

CREATE TABLE changelogs (
    id uuid PRIMARY KEY,
    version bigint NOT NULL CONSTRAINT ck_changelogs_version CHECK (version >= 1),
    repository_id uuid NOT NULL REFERENCES repositories (id),
    from_ref text NOT NULL,
    to_ref text NOT NULL,
    state text NOT NULL CONSTRAINT ck_changelogs_state CHECK (state IN ('DRAFT', 'PUBLISHED')),
    bump text NOT NULL CONSTRAINT ck_changelogs_bump CHECK (bump IN ('NONE', 'PATCH', 'MINOR', 'MAJOR')),
    bump_sha text NOT NULL,
    previous_version text NOT NULL,
    next_version text NOT NULL,
    entries jsonb NOT NULL,
    excluded jsonb NOT NULL,
    commit_count integer NOT NULL CONSTRAINT ck_changelogs_commit_count CHECK (commit_count >= 1),
    markdown text NOT NULL,
    json text NOT NULL,
    highlight_state text NOT NULL
    CONSTRAINT ck_changelogs_highlight_state CHECK (highlight_state IN ('PENDING', 'READY', 'FAILED')),
    highlights jsonb,
    highlight_failure text NOT NULL,
    created_by_kind text NOT NULL,
    created_by_id text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    published_by_kind text,
    published_by_id text,
    published_at timestamptz,
    -- No commit is dropped: what stands in entries and what is excluded make up the range.
    CONSTRAINT ck_changelogs_accounting CHECK (
        commit_count = jsonb_array_length(excluded)
        + jsonb_array_length(jsonb_path_query_array(entries, '$[*].commit_shas[*]'))
    ),
    CONSTRAINT ck_changelogs_published CHECK (
        (state = 'PUBLISHED') = (published_at IS NOT NULL)
        AND (state = 'PUBLISHED') = (published_by_kind IS NOT NULL)
        AND (state = 'PUBLISHED') = (published_by_id IS NOT NULL)
    ),
    CONSTRAINT ck_changelogs_highlights CHECK (highlights IS NULL OR highlight_state = 'READY'),
    CONSTRAINT ck_changelogs_highlight_failure CHECK ((highlight_state = 'FAILED') = (highlight_failure <> ''))
);
CREATE INDEX ix_changelogs_repository_id ON changelogs (repository_id, id);

-- The commits of a range in its order, each once. No foreign key: given commits need not be pushed.
CREATE TABLE changelog_commits (
    changelog_id uuid NOT NULL REFERENCES changelogs (id),
    position integer NOT NULL,
    sha text NOT NULL COLLATE "C",
    PRIMARY KEY (changelog_id, position),
    CONSTRAINT uq_changelog_commits_sha UNIQUE (changelog_id, sha)
);

CREATE TABLE deployments (
    id uuid PRIMARY KEY,
    service text NOT NULL CONSTRAINT ck_deployments_service CHECK (service <> ''),
    environment text NOT NULL CONSTRAINT ck_deployments_environment CHECK (environment <> ''),
    version_name text NOT NULL CONSTRAINT ck_deployments_version_name CHECK (version_name <> ''),
    repository_id uuid REFERENCES repositories (id),
    sha text NOT NULL COLLATE "C" CONSTRAINT ck_deployments_sha CHECK (sha ~ '^([0-9a-f]{40}|[0-9a-f]{64})?$'),
    url text NOT NULL,
    deployed_at timestamptz NOT NULL,
    external_reference text NOT NULL,
    created_by_kind text NOT NULL,
    created_by_id text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX uq_deployments_external_reference ON deployments (external_reference) WHERE external_reference <> '';
CREATE INDEX ix_deployments_deployed_at ON deployments (deployed_at DESC, id DESC);
CREATE INDEX ix_deployments_service_deployed_at ON deployments (service, deployed_at DESC, id DESC);
CREATE INDEX ix_deployments_sha ON deployments (sha) WHERE sha <> '';

-- A draft gets its highlights and is published; nothing else of a changelog changes, and nothing of a published one.
CREATE FUNCTION keep_changelog() RETURNS trigger
LANGUAGE plpgsql
SET search_path = changelog, pg_temp
AS $$
BEGIN
    IF old.state = 'PUBLISHED' THEN
        RAISE EXCEPTION 'changelog % is published and stays as it is', old.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF (new.id, new.repository_id, new.commit_count, new.entries, new.excluded, new.markdown, new.json, new.bump,
        new.bump_sha, new.previous_version, new.next_version, new.from_ref, new.to_ref, new.created_at,
        new.created_by_kind, new.created_by_id)
        IS DISTINCT FROM
        (old.id, old.repository_id, old.commit_count, old.entries, old.excluded, old.markdown, old.json, old.bump,
        old.bump_sha, old.previous_version, old.next_version, old.from_ref, old.to_ref, old.created_at,
        old.created_by_kind, old.created_by_id) THEN
        RAISE EXCEPTION 'the notes of changelog % stay as they were made', old.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN new;
END
$$;
CREATE TRIGGER tr_changelogs_keep BEFORE UPDATE ON changelogs FOR EACH ROW EXECUTE FUNCTION keep_changelog();

-- What was pushed, noted and deployed stays as it is.
REVOKE UPDATE, DELETE, TRUNCATE ON commits, changelog_commits, deployments FROM changelog_app;
REVOKE DELETE, TRUNCATE ON repositories, tags, changelogs FROM changelog_app;
