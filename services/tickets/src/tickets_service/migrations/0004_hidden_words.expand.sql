-- How many of the tickets that have a word are hidden from ops: a similarity that counted them would tell of them.
ALTER TABLE ticket_word_counts ADD COLUMN IF NOT EXISTS hidden_count bigint NOT NULL DEFAULT 0;
-- What was counted so far does not say it; all are counted anew.
DELETE FROM ticket_word_counts;
INSERT INTO ticket_words_uncounted (ticket_id) SELECT ticket_id FROM ticket_words ON CONFLICT DO NOTHING;
