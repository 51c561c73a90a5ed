-- least-program: 2
-- Lock IDs that were released or broken lately, so that none is granted twice.
CREATE TABLE release (
  project text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  workspace text COLLATE "C" NOT NULL,
  lock_id text COLLATE "C" NOT NULL,
  -- counts the releases of the address
  number bigint NOT NULL,
  subject text NOT NULL,
  broken boolean NOT NULL,
  -- the client may have heard of its grant
  heard boolean NOT NULL,
  at bigint NOT NULL,
  PRIMARY KEY (project, key, workspace, lock_id)
);

-- The latest stood first in the list. What JSON had to escape may be no text of this database, and is left out.
INSERT INTO release (project, key, workspace, lock_id, number, subject, broken, heard, at)
SELECT
  address.project,
  address.key,
  address.workspace,
  element.value ->> 'lockId',
  json_array_length(address.released::json) + 1 - element.place,
  element.value ->> 'subject',
  (element.value ->> 'broken')::boolean,
  true,
  (element.value ->> 'at')::bigint
FROM address, json_array_elements(address.released::json) WITH ORDINALITY AS element (value, place)
WHERE element.value::text NOT LIKE '%\\%'
ON CONFLICT DO NOTHING;

ALTER TABLE address ADD COLUMN last_release bigint NOT NULL DEFAULT 0;
UPDATE address SET last_release = json_array_length(released::json);
ALTER TABLE address DROP COLUMN released;

-- JSON: the requests that were answered with the grant, and the lock alias of each
ALTER TABLE holder ADD COLUMN answers text NOT NULL DEFAULT '[]';
UPDATE holder SET answers = json_build_array(json_build_object('seat', seat, 'alias', faces::json ->> 0))::text
WHERE NOT accepted AND seat IS NOT NULL;
