-- least-program: 5
-- What each project keeps: the sum of its rows, so that transactions at one time need not wait for each other. The row of the
-- empty name says that all that was there before was counted.
CREATE TABLE usage (
  project text COLLATE "C" NOT NULL,
  slot text COLLATE "C" NOT NULL,
  states bigint NOT NULL,
  versions bigint NOT NULL,
  -- of the states as they were sent
  bytes bigint NOT NULL,
  mac bytea NOT NULL,
  PRIMARY KEY (project, slot)
);
