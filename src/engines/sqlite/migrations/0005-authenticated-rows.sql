-- `mac` in each table: HMAC-SHA256 of the row, under a key that only who has the master key can open. Empty until adoption.
CREATE TABLE house (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  -- the key of the rows, sealed under the master key
  sealed_key BLOB NOT NULL,
  -- the macs of all credentials, hashed in the order of their ids
  credentials BLOB NOT NULL,
  mac BLOB NOT NULL
) STRICT;

-- The numbers of the versions that are kept, such as 1-3,7
ALTER TABLE address ADD COLUMN kept TEXT NOT NULL DEFAULT '';
-- the macs of all holders, hashed in the order of their fences
ALTER TABLE address ADD COLUMN holders BLOB NOT NULL DEFAULT x'';
ALTER TABLE address ADD COLUMN mac BLOB NOT NULL DEFAULT x'';

-- Size and digests of a state let a guess be confirmed, so they are sealed.
ALTER TABLE version ADD COLUMN facts BLOB NOT NULL DEFAULT x'';
-- the same in the clear, JSON; null once they are sealed
ALTER TABLE version ADD COLUMN unsealed TEXT;
UPDATE version SET unsealed = json_object('size', size, 'sha256', sha256, 'md5', md5);
ALTER TABLE version DROP COLUMN size;
ALTER TABLE version DROP COLUMN sha256;
ALTER TABLE version DROP COLUMN md5;
ALTER TABLE version ADD COLUMN mac BLOB NOT NULL DEFAULT x'';

ALTER TABLE holder ADD COLUMN mac BLOB NOT NULL DEFAULT x'';
ALTER TABLE place ADD COLUMN mac BLOB NOT NULL DEFAULT x'';
ALTER TABLE release ADD COLUMN mac BLOB NOT NULL DEFAULT x'';
ALTER TABLE credential ADD COLUMN mac BLOB NOT NULL DEFAULT x'';
ALTER TABLE entry ADD COLUMN mac BLOB NOT NULL DEFAULT x'';

-- the last record of the audit log that tells what was decided here; 0 for none
ALTER TABLE address ADD COLUMN audited INTEGER NOT NULL DEFAULT 0;
-- Each record's code is over the code of the one before, so that none can be taken away or put in.
ALTER TABLE audit ADD COLUMN mac BLOB NOT NULL DEFAULT x'';
-- stored in the transaction that decided it
ALTER TABLE audit ADD COLUMN decided INTEGER NOT NULL DEFAULT 0;
-- The ends of the chain: the code before its first record, and its last record.
CREATE TABLE audit_head (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  anchor BLOB NOT NULL,
  last INTEGER NOT NULL,
  link BLOB NOT NULL,
  mac BLOB NOT NULL
) STRICT;
