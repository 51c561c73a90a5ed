-- least-program: 5
-- `mac` in each table: HMAC-SHA256 of the row, under a key that only who has the master key can open. Empty until adoption.
CREATE TABLE house (
  id integer PRIMARY KEY CHECK (id = 1),
  -- the key of the rows, sealed under the master key of this id
  sealed_key bytea NOT NULL,
  key_id text COLLATE "C" NOT NULL,
  -- the macs of all credentials, hashed in the order of their ids
  credentials bytea NOT NULL,
  mac bytea NOT NULL
);

-- The numbers of the versions that are kept, such as 1-3,7
ALTER TABLE address ADD COLUMN kept text NOT NULL DEFAULT '';
-- the macs of all holders, hashed in the order of their fences
ALTER TABLE address ADD COLUMN holders bytea NOT NULL DEFAULT '';
ALTER TABLE address ADD COLUMN mac bytea NOT NULL DEFAULT '';

-- Size and digests of a state let a guess be confirmed, so they are sealed.
ALTER TABLE version ADD COLUMN facts bytea NOT NULL DEFAULT '';
-- the same in the clear, JSON; null once they are sealed
ALTER TABLE version ADD COLUMN unsealed text;
UPDATE version SET unsealed = json_build_object('size', size, 'sha256', sha256, 'md5', md5)::text;
ALTER TABLE version DROP COLUMN size, DROP COLUMN sha256, DROP COLUMN md5;
ALTER TABLE version ADD COLUMN mac bytea NOT NULL DEFAULT '';

ALTER TABLE holder ADD COLUMN mac bytea NOT NULL DEFAULT '';
ALTER TABLE place ADD COLUMN mac bytea NOT NULL DEFAULT '';
ALTER TABLE release ADD COLUMN mac bytea NOT NULL DEFAULT '';
ALTER TABLE credential ADD COLUMN mac bytea NOT NULL DEFAULT '';
ALTER TABLE entry ADD COLUMN mac bytea NOT NULL DEFAULT '';
