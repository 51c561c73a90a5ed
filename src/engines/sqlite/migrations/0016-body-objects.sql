-- The object beside the database that has the segments of a body; null for one whose segments are here.
ALTER TABLE body ADD COLUMN object TEXT;
CREATE UNIQUE INDEX body_by_object ON body (object) WHERE object IS NOT NULL;

-- Objects that no body is in any more, until they are deleted: noted in the transaction that took the body away, whichever it was.
CREATE TABLE gone_object (
  name TEXT NOT NULL PRIMARY KEY,
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER body_object_gone AFTER DELETE ON body WHEN OLD.object IS NOT NULL BEGIN
  INSERT OR IGNORE INTO gone_object (name, at) VALUES (OLD.object, CAST(unixepoch('subsec') * 1000 AS INTEGER));
END;

CREATE TRIGGER body_object_replaced AFTER UPDATE OF object ON body WHEN OLD.object IS NOT NULL AND OLD.object IS NOT NEW.object BEGIN
  INSERT OR IGNORE INTO gone_object (name, at) VALUES (OLD.object, CAST(unixepoch('subsec') * 1000 AS INTEGER));
END;
