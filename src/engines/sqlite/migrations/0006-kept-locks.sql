-- The waiter that may be granted the lock before free_at: the first in line, who sleeps and is due back.
ALTER TABLE address ADD COLUMN kept_for TEXT;
