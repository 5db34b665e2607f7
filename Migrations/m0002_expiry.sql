-- Finds what has expired, so that it can be cleared away in the order in which it ends.
--
-- Docket runs this file by itself. By hand it works too, on a file of schema 1: sqlite3 docket.db < m0002_expiry.sql

BEGIN IMMEDIATE;

PRAGMA user_version = 2;

-- A document that never expires is not in it, and pays nothing.
CREATE INDEX expiries ON document_rows(expires_at) WHERE expires_at IS NOT NULL;

COMMIT;
