-- The words of each ticket, for finding similar ones; made by the service, which knows what a word is.
CREATE TABLE ticket_words (
    ticket_id uuid PRIMARY KEY REFERENCES tickets (id),
    words text [] NOT NULL,
    counts smallint [] NOT NULL,
    CONSTRAINT ck_ticket_words_counts CHECK (cardinality(words) = cardinality(counts))
);
-- No list of pending entries: each of some thirty look-ups of a query would read all of it.
CREATE INDEX ix_ticket_words_words ON ticket_words USING gin (words) WITH (fastupdate = off);

-- How many tickets have a word, and how many of these are hidden from ops: a similarity that counted them would tell of
-- them. The empty word counts the tickets. Only statistics, some seconds late.
CREATE TABLE ticket_word_counts (
    word text PRIMARY KEY,
    ticket_count bigint NOT NULL,
    hidden_count bigint NOT NULL
);
-- Tickets that are new or changed wait in a queue, so that writers never meet at the row of a common word; with what
-- they were counted as, which is taken away when they are counted anew.
CREATE TABLE ticket_words_uncounted (
    ticket_id uuid PRIMARY KEY,
    counted_words text [],
    counted_hidden boolean,
    CONSTRAINT ck_ticket_words_uncounted_hidden CHECK ((counted_words IS NULL) = (counted_hidden IS NULL))
);
