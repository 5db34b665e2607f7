-- Has the door keep what is set for collections: how long documents live, and which values are unique.
--
-- Docket runs this file by itself. By hand it works too, on a file of schema 4: sqlite3 docket.db < m0005_collection_rules.sql

BEGIN IMMEDIATE;

PRAGMA user_version = 5;

CREATE VIEW expired_document AS SELECT NULL AS collection, NULL AS id;
CREATE TRIGGER expired_document_insert INSTEAD OF INSERT ON expired_document BEGIN
  -- The path of a document is inserted here to end it if it has expired: that is a change, and its row goes.
  INSERT INTO changes(
      previous, collection, id, kind, at, before, before_created_at, before_updated_at, before_expires_at)
    SELECT revision, collection, id, 'expired', now, data, created_at, updated_at, expires_at
    FROM document_rows, clock WHERE collection = new.collection AND id = new.id AND expires_at <= wall;
  INSERT INTO tombstones
    SELECT collection, id, (SELECT max(sequence) FROM changes)
    FROM document_rows, clock WHERE collection = new.collection AND id = new.id AND expires_at <= wall;
  DELETE FROM document_rows
    WHERE collection = new.collection AND id = new.id AND expires_at <= (SELECT wall FROM clock);
END;

CREATE VIEW unique_check AS SELECT NULL AS collection, NULL AS id, NULL AS data;
CREATE TRIGGER unique_check_insert INSTEAD OF INSERT ON unique_check BEGIN
  -- A document about to be written is inserted here. What is unique in a collection has a trigger of its own beside this
  -- one, made with its settings, which aborts the statement where another document has the same.
  SELECT NULL;
END;

DROP TRIGGER documents_insert;
CREATE TRIGGER documents_insert INSTEAD OF INSERT ON documents BEGIN
  INSERT INTO path_check VALUES (new.collection, new.id);
  INSERT INTO data_check VALUES (new.data, nullif(new.expires_at, 'never'));
  -- A row that has expired ends first: that is a change of its own.
  INSERT INTO expired_document VALUES (new.collection, new.id);
  -- A live one is a conflict. By the statement's OR clause this line fails, does nothing (IGNORE: then nothing else
  -- happens), or does something (REPLACE: then this is an update).
  INSERT INTO document SELECT 1 FROM document_rows WHERE collection = new.collection AND id = new.id;
  SELECT raise(IGNORE) FROM document_rows WHERE collection = new.collection AND id = new.id AND changes() = 0;
  INSERT INTO unique_check VALUES (new.collection, new.id, new.data);
  INSERT INTO changes(
      previous, collection, id, kind, at, before, before_created_at, before_updated_at, before_expires_at)
    SELECT coalesce(d.revision, t.sequence), new.collection, new.id, iif(d.key IS NULL, 'created', 'updated'), now,
      d.data, d.created_at, d.updated_at, d.expires_at
    FROM clock
      LEFT JOIN document_rows AS d ON d.collection = new.collection AND d.id = new.id
      LEFT JOIN tombstones AS t ON t.collection = new.collection AND t.id = new.id;
  INSERT INTO document_rows(collection, id, revision, created_at, updated_at, expires_at, data)
    SELECT new.collection, new.id, sequence, at, at,
      CASE
        -- What is set for the collection, from now on.
        WHEN new.expires_at IS NULL THEN
          (SELECT wall + 1000 * (settings ->> 'expire') FROM collections, clock WHERE name = new.collection)
        -- Of 'never' this is NULL.
        ELSE CAST(round((julianday(new.expires_at) - 2440587.5) * 86400000) AS INTEGER) END,
      new.data
    FROM changes WHERE sequence = (SELECT max(sequence) FROM changes)
    ON CONFLICT (collection, id) DO UPDATE SET
      revision = excluded.revision, updated_at = excluded.updated_at, expires_at = excluded.expires_at,
      data = excluded.data;
  DELETE FROM tombstones WHERE collection = new.collection AND id = new.id;
END;

DROP TRIGGER documents_update;
CREATE TRIGGER documents_update INSTEAD OF UPDATE ON documents
  WHEN new.collection IS old.collection AND new.id IS old.id
BEGIN
  -- UPDATE ... FROM fires twice for a row that it meets twice, with the same old.* both times. So what goes into the
  -- history is read from the row as it is now.
  SELECT raise(ABORT, 'revision, created_at and updated_at are set by Docket')
    WHERE new.revision IS NOT old.revision OR new.created_at IS NOT old.created_at
      OR new.updated_at IS NOT old.updated_at;
  INSERT INTO data_check VALUES (new.data, nullif(new.expires_at, 'never'));
  INSERT INTO unique_check VALUES (old.collection, old.id, new.data);
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

DROP TRIGGER documents_move;
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
    VALUES (new.collection, new.id, new.data, coalesce(new.expires_at, 'never'));
END;

COMMIT;
