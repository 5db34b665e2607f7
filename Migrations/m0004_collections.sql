-- Keeps what is set for collections: which indexes they have.
--
-- Docket runs this file by itself. By hand it works too, on a file of schema 3: sqlite3 docket.db < m0004_collections.sql

BEGIN IMMEDIATE;

PRAGMA user_version = 4;

CREATE TABLE collections(
  -- One row a collection for which something is set. The indexes that `settings` names are indexes on document_rows, made
  -- in the same transaction. Do not write here: PUT /_collections/notes/ does.
  name TEXT PRIMARY KEY, -- like /notes/
  settings TEXT NOT NULL -- JSON
) STRICT, WITHOUT ROWID;

COMMIT;
