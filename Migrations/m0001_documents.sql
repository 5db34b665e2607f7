-- The database of Docket, from nothing.
--
-- `documents` is the door for people: read it, INSERT, UPDATE and DELETE through it with any SQLite tool, also while
-- Docket serves the file. The tables behind it are there to be read; writing to them past the view is not supported.
--
-- Docket runs this file by itself. By hand it works too, on a new file: sqlite3 new.db < m0001_documents.sql

-- Lets freed pages go back to the file system. It works only before the first table, and outside a transaction.
PRAGMA auto_vacuum = INCREMENTAL;

BEGIN IMMEDIATE;

PRAGMA application_id = 0x444F434B; -- "DOCK": how Docket knows its files
PRAGMA user_version = 1;

-- Tables. Times in them are milliseconds of UTC since 1970-01-01.

CREATE TABLE document_rows(
  -- The documents as they stand, among them those that have expired and were not yet cleared away.
  -- Do not write here: write to the view `documents`.
  key INTEGER PRIMARY KEY,
  collection TEXT NOT NULL, -- like /notes/
  id TEXT NOT NULL,
  revision INTEGER NOT NULL, -- the sequence of the document's last change
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  expires_at INTEGER, -- NULL: never
  data TEXT NOT NULL, -- JSON, byte for byte as it was written
  UNIQUE (collection, id)
) STRICT;

CREATE INDEX item_values ON document_rows(
  -- Finds the elements of the list of /item and /list by value. The same expression stands in ItemValueIndex.swift.
  CASE json_type(data)
    WHEN 'object' THEN x'6f' WHEN 'array' THEN x'61' WHEN 'null' THEN x'6e' WHEN 'true' THEN x'74'
    WHEN 'false' THEN x'66' WHEN 'text' THEN substr(json_extract(data, '$'), 1, 100)
    ELSE json_extract(data, '$') END,
  id
) WHERE collection = '/item/';

CREATE TABLE changes(
  -- The history: one row a write, in the order of the commits. Each keeps the document as it was BEFORE the write;
  -- `previous` is the sequence of the write before it of the same document, so a document's versions are a chain that
  -- begins with its revision (or its tombstone) and leads backwards. The oldest rows are removed as they age.
  sequence INTEGER PRIMARY KEY,
  previous INTEGER, -- NULL: the document's first change, or the first since its tombstone aged away
  collection TEXT NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL -- IN (...) would build a table in memory for every write
    CHECK (kind = 'created' OR kind = 'updated' OR kind = 'deleted' OR kind = 'expired'),
  at INTEGER NOT NULL, -- never less than in the row before
  batch INTEGER, -- of a batch: the sequence of its first change
  before TEXT, -- NULL for a creation
  before_created_at INTEGER,
  before_updated_at INTEGER,
  before_expires_at INTEGER
) STRICT;

CREATE TABLE tombstones(
  -- Where the chain of a document begins that is gone. A document is in document_rows or here, never in both.
  collection TEXT NOT NULL,
  id TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  PRIMARY KEY (collection, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE properties(
  -- history_id names this file's history: under another name the same sequence is another change.
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO properties VALUES ('history_id', lower(hex(randomblob(16))));

CREATE TABLE migrations(
  -- The scripts that made these tables, and what tells each from an altered one.
  version INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  checksum TEXT NOT NULL,
  applied_at INTEGER NOT NULL
) STRICT;

-- The door.

CREATE VIEW clock AS
  -- wall: the time by the clock; now: the time that the next change is given.
  SELECT wall, max(wall, coalesce((SELECT at FROM changes ORDER BY sequence DESC LIMIT 1), 0)) AS now
  FROM (SELECT CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER) AS wall);

CREATE VIEW documents AS
  -- The door: SELECT, INSERT, UPDATE and DELETE here. What is written is checked and goes into the history.
  SELECT collection, id, data, revision,
    strftime('%Y-%m-%dT%H:%M:%fZ', created_at / 1000.0, 'unixepoch') AS created_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', updated_at / 1000.0, 'unixepoch') AS updated_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', expires_at / 1000.0, 'unixepoch') AS expires_at
  FROM document_rows
  WHERE expires_at IS NULL OR expires_at > (SELECT wall FROM clock);

-- The checks: what is inserted into these three views is looked at and goes nowhere.

CREATE VIEW text_check AS SELECT NULL AS text;
CREATE TRIGGER text_check_insert INSTEAD OF INSERT ON text_check BEGIN
  SELECT raise(ABORT, 'collection, id and data must not hold the character NUL (in JSON strings, \u0000 is allowed)')
    WHERE instr(new.text, char(0));
  -- SQLite takes any bytes for text. Here a character is valid if it comes back the same when it is made anew from its
  -- number. (SQLite reads U+FFFE and U+FFFF as U+FFFD, yet they are valid.) Pieces of 1,000 characters, and of
  -- each character only its first occurrence in a piece, keep this fast; most texts are ASCII and end with the GLOB.
  SELECT raise(ABORT, 'collection, id and data must be valid UTF-8')
    WHERE new.text GLOB '*[^' || char(1) || '-' || char(127) || ']*' AND EXISTS (
      WITH RECURSIVE
        piece(start, text) AS (
          SELECT 1, substr(new.text, 1, 1000)
          UNION ALL
          SELECT start + 1000, substr(new.text, start + 1000, 1000) FROM piece WHERE text <> ''),
        rest(text) AS (
          SELECT text FROM piece
          UNION ALL
          SELECT ltrim(replace(text, substr(text, 1, 1), ' '), ' ",:{}[]0123456789abcdefghijklmnopqrstuvwxyz')
            FROM rest WHERE text <> '')
      SELECT 1 FROM rest
        WHERE text <> '' AND CAST(char(unicode(text)) AS BLOB) <> CAST(substr(text, 1, 1) AS BLOB)
          AND hex(substr(text, 1, 1)) NOT IN ('EFBFBE', 'EFBFBF'));
END;

CREATE VIEW path_check AS SELECT NULL AS collection, NULL AS id;
CREATE TRIGGER path_check_insert INSTEAD OF INSERT ON path_check BEGIN
  SELECT raise(ABORT, 'collection must be like /notes/: text with a slash at both ends')
    WHERE typeof(new.collection) <> 'text' OR new.collection NOT GLOB '/?*/';
  SELECT raise(ABORT, 'collection must be like /notes/ or /users/7/orders/: no segment is empty, . or ..')
    WHERE new.collection GLOB '*//*' OR new.collection GLOB '*/./*' OR new.collection GLOB '*/../*';
  SELECT raise(ABORT, 'collection must not begin with /_: those names are for Docket itself')
    WHERE new.collection GLOB '/_*';
  SELECT raise(ABORT, 'id must be text without a slash, not empty, . or ..')
    WHERE typeof(new.id) IN ('null', 'blob') OR new.id IN ('', '.', '..') OR instr(new.id, '/');
  SELECT raise(ABORT, 'collection and id must be at most 1,024 bytes in all')
    WHERE length(CAST(new.collection AS BLOB)) + length(CAST(new.id AS BLOB)) > 1024;
  INSERT INTO text_check VALUES (new.collection), (new.id);
  SELECT raise(ABORT, 'collection and id must not hold control characters')
    WHERE new.collection || new.id GLOB '*[' || char(1) || '-' || char(31) || char(127) || ']*';
END;

CREATE VIEW data_check AS SELECT NULL AS data, NULL AS expires_at;
CREATE TRIGGER data_check_insert INSTEAD OF INSERT ON data_check BEGIN
  SELECT raise(ABORT, 'data must not be NULL; JSON null is the text ''null'', and DELETE removes a document')
    WHERE new.data IS NULL;
  SELECT raise(ABORT, 'data must be text that holds JSON, not a BLOB')
    WHERE typeof(new.data) = 'blob';
  SELECT raise(ABORT, 'data must be at most 1 MiB (1,048,576 bytes)')
    WHERE length(CAST(new.data AS BLOB)) > 1048576;
  INSERT INTO text_check VALUES (new.data);
  SELECT raise(ABORT, 'data must be valid JSON, such as {"a": 1} or "text" with its quotes')
    WHERE json_valid(new.data) IS NOT 1;
  -- SQLite follows JSON 2,000 levels down, Docket 128. Only what holds enough brackets is looked into.
  SELECT raise(ABORT, 'data must not be nested deeper than 128 levels')
    WHERE EXISTS (
      WITH RECURSIVE level(depth, value) AS (
        SELECT 1, new.data
          WHERE length(new.data) - length(replace(replace(new.data, '[', ''), '{', '')) > 128
        UNION ALL
        SELECT depth + 1, inner.value FROM level, json_each(level.value) AS inner
          WHERE depth < 129 AND inner.type IN ('array', 'object')
            AND length(inner.value) - length(replace(replace(inner.value, '[', ''), '{', '')) > 128 - depth)
      SELECT 1 FROM level WHERE depth = 129);
  SELECT raise(ABORT, 'expires_at must be a time of UTC such as 2030-01-31 12:00:00, or NULL')
    WHERE new.expires_at IS NOT NULL
      AND (julianday(new.expires_at) IS NULL OR typeof(new.expires_at) <> 'text'
        OR new.expires_at NOT GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*');
END;

-- The writes.

CREATE TABLE document(
  -- One row. The OR clause of a statement overrides those of the statements in the triggers it fires. So on an INSERT
  -- of a document that exists, inserting here finds out what the statement wants, before any history is written.
  already_exists INTEGER PRIMARY KEY
) STRICT;
INSERT INTO document VALUES (1);

CREATE TRIGGER documents_insert INSTEAD OF INSERT ON documents BEGIN
  INSERT INTO path_check VALUES (new.collection, new.id);
  INSERT INTO data_check VALUES (new.data, new.expires_at);
  -- A row that has expired ends first: that is a change of its own.
  INSERT INTO changes(
      previous, collection, id, kind, at, before, before_created_at, before_updated_at, before_expires_at)
    SELECT revision, collection, id, 'expired', now, data, created_at, updated_at, expires_at
    FROM document_rows, clock WHERE collection = new.collection AND id = new.id AND expires_at <= wall;
  INSERT INTO tombstones
    SELECT collection, id, (SELECT max(sequence) FROM changes)
    FROM document_rows, clock WHERE collection = new.collection AND id = new.id AND expires_at <= wall;
  DELETE FROM document_rows
    WHERE collection = new.collection AND id = new.id AND expires_at <= (SELECT wall FROM clock);
  -- A live one is a conflict. By the statement's OR clause this line fails, does nothing (IGNORE: then nothing else
  -- happens), or does something (REPLACE: then this is an update).
  INSERT INTO document SELECT 1 FROM document_rows WHERE collection = new.collection AND id = new.id;
  SELECT raise(IGNORE) FROM document_rows WHERE collection = new.collection AND id = new.id AND changes() = 0;
  INSERT INTO changes(
      previous, collection, id, kind, at, before, before_created_at, before_updated_at, before_expires_at)
    SELECT coalesce(d.revision, t.sequence), new.collection, new.id, iif(d.key IS NULL, 'created', 'updated'), now,
      d.data, d.created_at, d.updated_at, d.expires_at
    FROM clock
      LEFT JOIN document_rows AS d ON d.collection = new.collection AND d.id = new.id
      LEFT JOIN tombstones AS t ON t.collection = new.collection AND t.id = new.id;
  INSERT INTO document_rows(collection, id, revision, created_at, updated_at, expires_at, data)
    SELECT new.collection, new.id, sequence, at, at,
      CAST(round((julianday(new.expires_at) - 2440587.5) * 86400000) AS INTEGER), new.data
    FROM changes WHERE sequence = (SELECT max(sequence) FROM changes)
    ON CONFLICT (collection, id) DO UPDATE SET
      revision = excluded.revision, updated_at = excluded.updated_at, expires_at = excluded.expires_at,
      data = excluded.data;
  DELETE FROM tombstones WHERE collection = new.collection AND id = new.id;
END;

CREATE TRIGGER documents_delete INSTEAD OF DELETE ON documents BEGIN
  INSERT INTO changes(
      previous, collection, id, kind, at, before, before_created_at, before_updated_at, before_expires_at)
    SELECT revision, collection, id, 'deleted', now, data, created_at, updated_at, expires_at
    FROM document_rows, clock WHERE collection = old.collection AND id = old.id;
  INSERT INTO tombstones
    SELECT collection, id, (SELECT max(sequence) FROM changes)
    FROM document_rows WHERE collection = old.collection AND id = old.id;
  DELETE FROM document_rows WHERE collection = old.collection AND id = old.id;
END;

CREATE TRIGGER documents_update INSTEAD OF UPDATE ON documents
  WHEN new.collection IS old.collection AND new.id IS old.id
BEGIN
  -- UPDATE ... FROM fires twice for a row that it meets twice, with the same old.* both times. So what goes into the
  -- history is read from the row as it is now.
  SELECT raise(ABORT, 'revision, created_at and updated_at are set by Docket')
    WHERE new.revision IS NOT old.revision OR new.created_at IS NOT old.created_at
      OR new.updated_at IS NOT old.updated_at;
  INSERT INTO data_check VALUES (new.data, new.expires_at);
  INSERT INTO changes(
      previous, collection, id, kind, at, before, before_created_at, before_updated_at, before_expires_at)
    SELECT revision, collection, id, 'updated', now, data, created_at, updated_at, expires_at
    FROM document_rows, clock WHERE collection = old.collection AND id = old.id;
  UPDATE document_rows SET
      (revision, updated_at) = (SELECT sequence, at FROM changes ORDER BY sequence DESC LIMIT 1),
      expires_at = CAST(round((julianday(new.expires_at) - 2440587.5) * 86400000) AS INTEGER),
      data = new.data
    WHERE collection = old.collection AND id = old.id;
END;

CREATE TRIGGER documents_move INSTEAD OF UPDATE ON documents
  WHEN new.collection IS NOT old.collection OR new.id IS NOT old.id
BEGIN
  -- A move is a deletion and a creation. It never replaces a live document, whatever the OR clause.
  SELECT raise(IGNORE)
    WHERE NOT EXISTS (SELECT 1 FROM document_rows WHERE collection = old.collection AND id = old.id);
  SELECT raise(ABORT, 'revision, created_at and updated_at are set by Docket')
    WHERE new.revision IS NOT old.revision OR new.created_at IS NOT old.created_at
      OR new.updated_at IS NOT old.updated_at;
  SELECT raise(ABORT, 'a document with this collection and id exists; delete it first')
    FROM documents WHERE collection = new.collection AND id = new.id;
  DELETE FROM documents WHERE collection = old.collection AND id = old.id;
  INSERT INTO documents(collection, id, data, expires_at)
    VALUES (new.collection, new.id, new.data, new.expires_at);
END;

COMMIT;
