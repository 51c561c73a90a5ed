-- Where a deed came from (credential, network address, request, program), as JSON, and what it was refused for.
ALTER TABLE audit ADD COLUMN origin TEXT NOT NULL DEFAULT '{}';
ALTER TABLE audit ADD COLUMN refused TEXT;
