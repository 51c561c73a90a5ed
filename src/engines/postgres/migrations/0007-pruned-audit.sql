-- least-program: 5
-- Where the audit log goes on from, by chain, once its oldest records were forgotten.
CREATE TABLE audit_pruned (
  chain text COLLATE "C" PRIMARY KEY,
  -- the id of the chain's last record that was forgotten
  id bigint NOT NULL,
  -- its number in the chain, and its code
  last bigint NOT NULL,
  link bytea NOT NULL,
  mac bytea NOT NULL
);
