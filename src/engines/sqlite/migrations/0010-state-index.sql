-- By which states are found. It follows from the states and can be made anew; what is sealed in it is of the house alone.
CREATE TABLE state_index (
  -- project/key@workspace
  name TEXT NOT NULL UNIQUE,
  version INTEGER NOT NULL,
  at INTEGER NOT NULL,
  -- one after the other, in their order
  words BLOB NOT NULL,
  sealed BLOB NOT NULL
) STRICT;
CREATE INDEX state_index_age ON state_index (name, at, version);
-- The states that are under a word.
CREATE TABLE index_word (
  word BLOB NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (word, name)
) STRICT, WITHOUT ROWID;
