-- Text compares byte by byte (BINARY), which for UTF-8 is the order of its characters.
CREATE TABLE address (
  id INTEGER PRIMARY KEY,
  project TEXT NOT NULL,
  key TEXT NOT NULL,
  workspace TEXT NOT NULL,
  -- project/key@workspace, to be searched
  name TEXT NOT NULL,
  -- the number of the newest version
  head INTEGER,
  deleted_at INTEGER,
  last_version INTEGER NOT NULL,
  fence INTEGER NOT NULL,
  last_ticket INTEGER NOT NULL,
  typical_hold REAL,
  -- the latest releases, JSON
  released TEXT NOT NULL,
  UNIQUE (project, key, workspace)
) STRICT;

CREATE TABLE version (
  address_id INTEGER NOT NULL,
  number INTEGER NOT NULL,
  -- beyond what 64 signed bits hold
  serial TEXT NOT NULL,
  lineage TEXT NOT NULL,
  terraform_version TEXT NOT NULL,
  encrypted INTEGER NOT NULL,
  size INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  md5 TEXT NOT NULL,
  body_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  subject TEXT NOT NULL,
  door TEXT NOT NULL,
  lock_id TEXT,
  fence INTEGER,
  operation TEXT,
  forced INTEGER NOT NULL,
  restored_from INTEGER,
  PRIMARY KEY (address_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE body (
  ordinal INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  key_id TEXT NOT NULL,
  wrapped_key BLOB NOT NULL,
  segments INTEGER NOT NULL
) STRICT;

CREATE INDEX body_by_key ON body (key_id);

-- id = 65536 × the body's ordinal + the segment's place in it: new segments go to the end of one tree, and states of some
-- kilobytes lie whole in its leaves.
CREATE TABLE segment (
  id INTEGER PRIMARY KEY,
  data BLOB NOT NULL
) STRICT;

CREATE TABLE holder (
  address_id INTEGER NOT NULL,
  lock_id TEXT NOT NULL,
  waiter TEXT NOT NULL,
  subject TEXT NOT NULL,
  door TEXT NOT NULL,
  operation TEXT NOT NULL,
  shared INTEGER NOT NULL,
  fence INTEGER NOT NULL,
  since INTEGER NOT NULL,
  info BLOB NOT NULL,
  -- a JSON array of texts
  faces TEXT NOT NULL,
  seat TEXT,
  accepted INTEGER NOT NULL,
  PRIMARY KEY (address_id, lock_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX holder_unaccepted ON holder (seat) WHERE accepted = 0 AND seat IS NOT NULL;

CREATE TABLE place (
  address_id INTEGER NOT NULL,
  waiter TEXT NOT NULL,
  lock_id TEXT NOT NULL,
  ticket INTEGER NOT NULL,
  subject TEXT NOT NULL,
  door TEXT NOT NULL,
  operation TEXT NOT NULL,
  shared INTEGER NOT NULL,
  face TEXT NOT NULL,
  info BLOB NOT NULL,
  first_ask INTEGER NOT NULL,
  last_ask INTEGER NOT NULL,
  asks INTEGER NOT NULL,
  seat TEXT,
  until INTEGER NOT NULL,
  PRIMARY KEY (address_id, waiter)
) STRICT, WITHOUT ROWID;

CREATE INDEX place_seat ON place (seat) WHERE seat IS NOT NULL;

CREATE TABLE credential (
  -- in the order of making; a credential that is put again keeps its place
  ordinal INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  sealed_secret BLOB NOT NULL,
  -- JSON
  grants TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER
) STRICT;

CREATE TABLE entry (
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  -- JSON
  attributes TEXT NOT NULL,
  body_id TEXT,
  PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  address_id INTEGER,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  door TEXT NOT NULL,
  -- JSON
  detail TEXT NOT NULL
) STRICT;

-- The one index that every commit pays for: by action and subject the log is looked through, a stretch at a time.
CREATE INDEX audit_by_address ON audit (address_id) WHERE address_id IS NOT NULL;
