/* How fast SQLite alone finds what a query by an index finds: the documents of one group, by the statement that Docket's
 * reader has for them, in a bare loop on a file that Docket has made. No network, no JSON, one thread; the text of each row
 * is copied, as it must be to outlive the statement's next step.
 *
 *   cc -O2 -o raw_query raw_query.c -lsqlite3
 *   ./raw_query --database docket.db --groups 50000 --limit 20 --seconds 2
 *
 * Prints the queries in a second.
 */
#include <getopt.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static long groups = 500, limit = 20;
static double seconds = 2;
static const char *path = "docket.db";
static sqlite3 *connection;

static void fail(const char *what) {
  fprintf(stderr, "raw_query: %s: %s\n", what, connection ? sqlite3_errmsg(connection) : "no connection");
  exit(1);
}

static int64_t nanoseconds(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

/* As a reader of the server sets up its connection. */
static void open_database(void) {
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  if (sqlite3_open_v2(path, &connection, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, 0) != SQLITE_OK) fail(path);
  if (sqlite3_exec(connection, "PRAGMA query_only = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -4096", 0, 0, 0))
    fail("setup");
}

/* What IndexStatements.swift makes of where[group]=7. Where its index has other expressions, SQLite refuses this. */
#define FIELD "'$.\"group\"'"
static const char sql[] =
    "SELECT collection, id, revision, created_at, updated_at, expires_at, data "
    "FROM document_rows INDEXED BY \"/bench/ [\"\"group\"\"]\" WHERE collection = '/bench/' "
    "AND (CASE json_type(data, " FIELD ") WHEN 'integer' THEN length(ltrim(data -> " FIELD ", '-')) > 18 "
    "WHEN 'real' THEN length(ltrim(data -> " FIELD ", '-')) > 16 OR (data -> " FIELD ") GLOB '*[eE]*' "
    "WHEN 'text' THEN instr(replace(data -> " FIELD ", '\\\\', ''), '\\u0000') > 0 ELSE 0 END) = 0 "
    "AND (CASE json_type(data, " FIELD ") WHEN 'null' THEN 1 WHEN 'false' THEN 2 WHEN 'true' THEN 3 "
    "WHEN 'integer' THEN 4 WHEN 'real' THEN 4 WHEN 'text' THEN 5 WHEN 'array' THEN 6 WHEN 'object' THEN 6 ELSE 0 END) = ?2 "
    "AND (CASE WHEN json_type(data, " FIELD ") IN ('integer', 'real', 'text') "
    "THEN json_extract(data, " FIELD ") END) = ?3 "
    "AND (expires_at IS NULL OR expires_at > ?1) ORDER BY id";

enum { number_rank = 4, copy_bytes = 1 << 20 };
static sqlite3_stmt *statement;
static char copy[copy_bytes];
static long copied;

static void copy_text(int column) {
  const unsigned char *text = sqlite3_column_text(statement, column);
  long bytes = sqlite3_column_bytes(statement, column);
  if (copied + bytes > copy_bytes) copied = 0;
  memcpy(copy + copied, text, bytes);
  copied += bytes;
}

static volatile int64_t seen;

static void query(long group) {
  copied = 0;
  sqlite3_bind_int64(statement, 1, nanoseconds(CLOCK_REALTIME) / 1000000);
  sqlite3_bind_int64(statement, 2, number_rank);
  sqlite3_bind_int64(statement, 3, group);
  long rows = 0;
  while (rows < limit && sqlite3_step(statement) == SQLITE_ROW) {
    copy_text(0);
    copy_text(1);
    for (int column = 2; column < 6; column++) seen += sqlite3_column_int64(statement, column);
    copy_text(6);
    rows++;
  }
  sqlite3_reset(statement);
  if (rows != limit) fail("a group has too few documents");
}

/* xorshift64* (https://en.wikipedia.org/wiki/Xorshift): the same groups in every run. */
static long random_group(void) {
  static uint64_t state = UINT64_C(0x9E3779B97F4A7C15);
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return (long)((state * UINT64_C(0x2545F4914F6CDD1D) >> 33) % groups);
}

static double measure(void) {
  int64_t start = nanoseconds(CLOCK_MONOTONIC), end = start + (int64_t)(seconds * 1e9), now;
  long done = 0;
  do {
    query(random_group());
    done++;
  } while ((now = nanoseconds(CLOCK_MONOTONIC)) < end);
  return done * 1e9 / (double)(now - start);
}

int main(int count, char **arguments) {
  static const struct option names[] = {
      {"database", required_argument, 0, 'd'}, {"groups", required_argument, 0, 'g'}, {"limit", required_argument, 0, 'l'},
      {"seconds", required_argument, 0, 's'}, {0}};
  int option;
  while ((option = getopt_long(count, arguments, "", names, NULL)) != -1) {
    switch (option) {
    case 'd': path = optarg; break;
    case 'g': groups = atol(optarg); break;
    case 'l': limit = atol(optarg); break;
    case 's': seconds = atof(optarg); break;
    default: return 2;
    }
  }
  if (optind != count || groups < 1 || limit < 1) {
    fprintf(stderr, "usage: raw_query --database FILE --groups G --limit L --seconds S\n");
    return 2;
  }
  open_database();
  if (sqlite3_prepare_v3(connection, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, 0) != SQLITE_OK) fail(sql);
  for (int i = 0; i < 100; i++) query(random_group());
  printf("%.0f\n", measure());
  sqlite3_finalize(statement);
  sqlite3_close_v2(connection);
  return 0;
}
