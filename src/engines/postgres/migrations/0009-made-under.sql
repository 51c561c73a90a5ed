-- least-program: 5
-- The master key under which the body's data key was made; null where that is not known. A change of the master key wraps the
-- data key again, and does not make it another.
ALTER TABLE body ADD COLUMN made_under text COLLATE "C";
