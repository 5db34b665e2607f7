-- Keeps who may do what: the tokens by which clients are known.
--
-- Docket runs this file by itself. By hand it works too, on a file of schema 5: sqlite3 docket.db < m0006_tokens.sql

BEGIN IMMEDIATE;

PRAGMA user_version = 6;

CREATE TABLE tokens(
  -- One row a token. One that was revoked or has expired is kept for a while, so that it can be told what it was. A server
  -- that runs takes notice of a change within a second. To revoke one by hand:
  -- UPDATE tokens SET revoked_at = 1000 * unixepoch() WHERE name = 'ci'
  id TEXT PRIMARY KEY, -- stands in the token's text, and is no secret
  name TEXT NOT NULL,
  allow TEXT NOT NULL, -- JSON: ["read:/notes/", "write:/inbox/"]; what cannot be read allows nothing
  digest TEXT NOT NULL, -- SHA-256 of the secret's 32 bytes, hexadecimal; the secret itself is nowhere
  created_at INTEGER NOT NULL,
  expires_at INTEGER, -- NULL: never
  revoked_at INTEGER -- NULL: it is not
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX token_names ON tokens(name) WHERE revoked_at IS NULL;
CREATE INDEX token_ages ON tokens(created_at);

CREATE TABLE token_changes(
  -- One row: how often tokens were changed. 0: there has never been one, and everybody may do everything. Above that nobody
  -- gets in without one, whatever became of the rows of tokens since, so that revoking or deleting the last one opens no
  -- door. By the number a server knows when to read them again.
  only INTEGER PRIMARY KEY CHECK (only = 1),
  number INTEGER NOT NULL
) STRICT;
INSERT INTO token_changes VALUES (1, 0);

CREATE TRIGGER tokens_insert AFTER INSERT ON tokens BEGIN UPDATE token_changes SET number = number + 1; END;
CREATE TRIGGER tokens_update AFTER UPDATE ON tokens BEGIN UPDATE token_changes SET number = number + 1; END;
CREATE TRIGGER tokens_delete AFTER DELETE ON tokens BEGIN UPDATE token_changes SET number = number + 1; END;

CREATE TRIGGER token_changes_insert BEFORE INSERT ON token_changes BEGIN
  SELECT raise(ABORT, 'token_changes has one row, which changes of tokens count');
END;
CREATE TRIGGER token_changes_update BEFORE UPDATE ON token_changes WHEN new.number <> old.number + 1 BEGIN
  SELECT raise(ABORT, 'token_changes only counts up: what tokens have shut stays shut');
END;
CREATE TRIGGER token_changes_delete BEFORE DELETE ON token_changes BEGIN
  SELECT raise(ABORT, 'token_changes stays: what tokens have shut stays shut');
END;

COMMIT;
