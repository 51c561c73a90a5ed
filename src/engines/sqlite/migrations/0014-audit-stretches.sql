-- In which stretches of the audit log an address has records, noted once a stretch is full. An index of single records would change
-- a page for each of them, because every address has its records in another place of it.
CREATE TABLE audit_stretch (
  address_id INTEGER NOT NULL,
  -- the number of a record, divided by 256
  stretch INTEGER NOT NULL,
  PRIMARY KEY (address_id, stretch)
) STRICT, WITHOUT ROWID;

INSERT INTO audit_stretch
SELECT DISTINCT address_id, id / 256 FROM audit WHERE address_id IS NOT NULL ORDER BY address_id, id;

DROP INDEX audit_by_address;
