-- least-program: 15
-- The object beside the database that has the segments of a body; null for one whose segments are here.
ALTER TABLE body ADD COLUMN object text COLLATE "C";
CREATE UNIQUE INDEX body_by_object ON body (object) WHERE object IS NOT NULL;

-- Objects that no body is in any more, until they are deleted: noted in the transaction that took the body away, whichever it was.
CREATE TABLE gone_object (
  name text COLLATE "C" PRIMARY KEY,
  at bigint NOT NULL
);

CREATE FUNCTION note_gone_object() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format(
    'INSERT INTO %I.gone_object (name, at) VALUES ($1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint) ON CONFLICT DO NOTHING',
    TG_TABLE_SCHEMA
  ) USING OLD.object;
  RETURN NULL;
END $$;

CREATE TRIGGER body_object_gone AFTER DELETE ON body FOR EACH ROW
WHEN (OLD.object IS NOT NULL) EXECUTE FUNCTION note_gone_object();

CREATE TRIGGER body_object_replaced AFTER UPDATE OF object ON body FOR EACH ROW
WHEN (OLD.object IS NOT NULL AND OLD.object IS DISTINCT FROM NEW.object) EXECUTE FUNCTION note_gone_object();
