-- least-program: 1
-- The order in which stores without workspaces list states.
CREATE INDEX address_by_name ON address
  (project, (CASE WHEN workspace = 'default' THEN key ELSE 'env:/' || workspace || '/' || key END COLLATE "C"));
