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

-- the last record of the audit log that tells what was decided here, `chain:link`; empty for none
ALTER TABLE address ADD COLUMN audited text NOT NULL DEFAULT '';
-- Each record's code is over the code of the one before in its chain, so that none can be taken away or put in. A node has a
-- chain for each transaction that it may have open.
ALTER TABLE audit ADD COLUMN chain text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN link bigint NOT NULL DEFAULT 0;
ALTER TABLE audit ADD COLUMN mac bytea NOT NULL DEFAULT '';
-- stored in the transaction that decided it
ALTER TABLE audit ADD COLUMN decided boolean NOT NULL DEFAULT false;
-- The ends of each chain: the code before its first record, and its last record.
CREATE TABLE audit_head (
  chain text COLLATE "C" PRIMARY KEY,
  anchor bytea NOT NULL,
  last bigint NOT NULL,
  link bytea NOT NULL,
  mac bytea NOT NULL
);
-- the names of all chains, hashed in their order
ALTER TABLE house ADD COLUMN chains bytea NOT NULL DEFAULT '';
