-- least-program: 3
-- When a hold ends by itself, and how long nobody is granted the lock after that.
ALTER TABLE holder ADD COLUMN until bigint;
ALTER TABLE holder ADD COLUMN delay bigint NOT NULL DEFAULT 0;
CREATE INDEX holder_until ON holder (until) WHERE until IS NOT NULL;

ALTER TABLE place ADD COLUMN lease bigint;
ALTER TABLE place ADD COLUMN delay bigint NOT NULL DEFAULT 0;

-- Nobody is granted the lock before this moment.
ALTER TABLE address ADD COLUMN free_at bigint;
CREATE INDEX address_free_at ON address (free_at) WHERE free_at IS NOT NULL;
-- Grows with every change of the state and of who holds its lock.
ALTER TABLE address ADD COLUMN change_index bigint NOT NULL DEFAULT 0;
