-- A second path to what is answered as absent: a damaged page of the one must not make anything absent.
CREATE INDEX address_again ON address (project, key, workspace);
CREATE INDEX entry_again ON entry (kind, name);
