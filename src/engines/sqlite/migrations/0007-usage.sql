-- What each project keeps. The row of the empty name says that all that was there before was counted.
CREATE TABLE usage (
  project TEXT PRIMARY KEY,
  states INTEGER NOT NULL,
  versions INTEGER NOT NULL,
  -- of the states as they were sent
  bytes INTEGER NOT NULL,
  mac BLOB NOT NULL
) STRICT, WITHOUT ROWID;
