-- Keeps who may do what: the tokens by which clients are known.
--
-- Docket runs this file by itself. By hand it works too, on a file of schema 5: sqlite3 docket.db < m0006_tokens.sql

BEGIN IMMEDIATE;

PRAGMA user_version = 6;

CREATE TABLE tokens(
  -- One row a token, for good: where there has ever been one nobody gets in without, so that revoking the last one opens
  -- no door. A server that runs takes notice of a change within a second. To revoke one by hand:
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

CREATE TRIGGER tokens_delete BEFORE DELETE ON tokens BEGIN
  SELECT raise(ABORT, 'tokens are kept for good: revoke one by setting its revoked_at');
END;

COMMIT;
