-- No process reads or writes the old columns any more. With them go the index on them and the constraint of sources,
-- whose part for the priority ck_tickets_priority_given holds.
DROP TRIGGER sync_ticket_description ON tickets;
DROP FUNCTION sync_ticket_description();
ALTER TABLE tickets DROP COLUMN message;
ALTER TABLE tickets DROP COLUMN priority;
ALTER TABLE tickets ADD CONSTRAINT ck_tickets_sources CHECK (
    (category = '') = (category_source = 'UNSPECIFIED') AND (team = '') = (team_source = 'UNSPECIFIED')
) NOT VALID;
