-- The order in which stores without workspaces list states, twice, so that a damaged page of the one makes none absent.
CREATE INDEX address_by_name ON address (project, iif(workspace = 'default', key, 'env:/' || workspace || '/' || key));
CREATE INDEX address_by_name_again ON address (project, iif(workspace = 'default', key, 'env:/' || workspace || '/' || key));
