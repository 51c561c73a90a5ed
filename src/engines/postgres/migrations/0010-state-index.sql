-- least-program: 5
-- By which states are found. It follows from the states and can be made anew; what is sealed in it is of the house alone.
CREATE TABLE state_index (
  -- project/key@workspace
  name text COLLATE "C" PRIMARY KEY,
  version bigint NOT NULL,
  at bigint NOT NULL,
  words bytea[] NOT NULL,
  sealed bytea NOT NULL
);
-- The states that are under a word.
CREATE TABLE index_word (
  word bytea NOT NULL,
  name text COLLATE "C" NOT NULL,
  PRIMARY KEY (word, name)
);
