-- least-program: 13
-- Where a waiter asks from, as JSON, for the audit record of the lock that it is handed.
ALTER TABLE place ADD COLUMN origin text;
