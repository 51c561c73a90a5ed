-- least-program: 13
-- The codes that a record of the audit log had under former integrity keys, newest first: what a head of then names is still found.
ALTER TABLE audit ADD COLUMN former bytea;
