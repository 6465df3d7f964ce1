-- The words of each ticket, for finding similar ones; made by the service, which knows what a word is.
CREATE TABLE ticket_words (
    ticket_id uuid PRIMARY KEY REFERENCES tickets (id),
    words text [] NOT NULL,
    counts smallint [] NOT NULL,
    CONSTRAINT ck_ticket_words_counts CHECK (cardinality(words) = cardinality(counts))
);
-- No list of pending entries: each of some thirty look-ups of a query would read all of it.
CREATE INDEX ix_ticket_words_words ON ticket_words USING gin (words) WITH (fastupdate = off);

-- How many tickets have a word; the empty word counts the tickets. Only statistics: some seconds late, and a changed
-- title is not counted again. New tickets wait in a queue, so that writers never meet at the row of a common word.
CREATE TABLE ticket_word_counts (
    word text PRIMARY KEY,
    ticket_count bigint NOT NULL
);
CREATE TABLE ticket_words_uncounted (
    ticket_id uuid PRIMARY KEY
);
