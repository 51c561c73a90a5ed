-- Lock IDs that were released or broken lately, so that none is granted twice.
CREATE TABLE release (
  address_id INTEGER NOT NULL,
  lock_id TEXT NOT NULL,
  -- counts the releases of the address
  number INTEGER NOT NULL,
  subject TEXT NOT NULL,
  broken INTEGER NOT NULL,
  -- the client may have heard of its grant
  heard INTEGER NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (address_id, lock_id)
) STRICT, WITHOUT ROWID;

-- The latest stood first in the list.
INSERT OR IGNORE INTO release (address_id, lock_id, number, subject, broken, heard, at)
SELECT
  address.id,
  each.value ->> 'lockId',
  json_array_length(address.released) - each.key,
  each.value ->> 'subject',
  each.value ->> 'broken',
  1,
  each.value ->> 'at'
FROM address, json_each(address.released) AS each;

ALTER TABLE address ADD COLUMN last_release INTEGER NOT NULL DEFAULT 0;
UPDATE address SET last_release = json_array_length(released);
ALTER TABLE address DROP COLUMN released;

-- JSON: the requests that were answered with the grant, and the lock alias of each
ALTER TABLE holder ADD COLUMN answers TEXT NOT NULL DEFAULT '[]';
UPDATE holder SET answers = json_array(json_object('seat', seat, 'alias', faces ->> 0))
WHERE accepted = 0 AND seat IS NOT NULL;
