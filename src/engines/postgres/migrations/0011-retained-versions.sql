-- least-program: 11
-- Which versions nobody may remove yet, as JSON; null for none.
ALTER TABLE address ADD COLUMN retained text;
