-- Keeps what was answered to writes that came with an Idempotency-Key: the same request again gets the same answer.
--
-- Docket runs this file by itself. By hand it works too, on a file of schema 2: sqlite3 docket.db < m0003_kept_answers.sql

BEGIN IMMEDIATE;

PRAGMA user_version = 3;

CREATE TABLE kept_answers(
  -- Written in the same transaction as what the request did, so that the two are there or gone together.
  number INTEGER PRIMARY KEY, -- in the order in which they were kept: the oldest go first
  key TEXT NOT NULL UNIQUE,
  request INTEGER NOT NULL, -- tells the request from another one under the same key
  ends_at INTEGER NOT NULL, -- kept until then, unless too much has been kept since
  bytes_so_far INTEGER NOT NULL, -- the size of all that was ever kept, this included
  answer TEXT NOT NULL -- the response, without the request's id
) STRICT;

COMMIT;
