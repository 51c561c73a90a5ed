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
