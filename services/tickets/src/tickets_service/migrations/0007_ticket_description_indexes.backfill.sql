-- Every row has its new values by now (0006): the constraints hold for all of them, and Postgres says so.
ALTER TABLE ticket_options VALIDATE CONSTRAINT ck_ticket_options_priority_level;
ALTER TABLE tickets VALIDATE CONSTRAINT ck_tickets_description;
ALTER TABLE tickets VALIDATE CONSTRAINT ck_tickets_priority_rank;
ALTER TABLE tickets VALIDATE CONSTRAINT ck_tickets_priority_given;
