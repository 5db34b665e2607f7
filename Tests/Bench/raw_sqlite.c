/* How fast SQLite alone takes what a durable PUT of an existing document writes: the same upserts and change rows as
 * Docket's writer, in a bare loop on a new file with Docket's tables. No network, no JSON, no second thread; history is
 * not pruned, and the log is written by SQLite's own file layer.
 *
 *   cc -O2 -o raw_sqlite raw_sqlite.c -lsqlite3
 *   ./raw_sqlite --group 256 --keys 10000 --bytes 100 --seconds 2 --database raw.db Migrations/m*.sql
 *
 * Prints the writes in a second.
 */
#include <getopt.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static long group = 256, keys = 10000, bytes = 100;
static double seconds = 2;
static const char *path = "raw.db";
static sqlite3 *connection;

static void fail(const char *what) {
  fprintf(stderr, "raw_sqlite: %s: %s\n", what, connection ? sqlite3_errmsg(connection) : "no connection");
  exit(1);
}

static int64_t nanoseconds(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

/* SQLite */

static void execute(const char *sql) {
  if (sqlite3_exec(connection, sql, 0, 0, 0) != SQLITE_OK) fail(sql);
}

static void execute_file(const char *name) {
  FILE *file = fopen(name, "r");
  char *text = NULL;
  size_t room = 0;
  if (!file || getdelim(&text, &room, 0, file) < 0) fail(name);
  fclose(file);
  execute(text);
  free(text);
}

static sqlite3_stmt *prepare(const char *sql) {
  sqlite3_stmt *statement;
  if (sqlite3_prepare_v3(connection, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, 0) != SQLITE_OK) fail(sql);
  return statement;
}

static void run(sqlite3_stmt *statement) {
  if (sqlite3_step(statement) != SQLITE_DONE) fail(sqlite3_sql(statement));
  sqlite3_reset(statement);
}

static int log_pages;

static int count_log_pages(void *context, sqlite3 *database, const char *name, int pages) {
  (void)context, (void)database, (void)name;
  log_pages = pages;
  return SQLITE_OK;
}

/* As the server's writer sets up its connection. */
static void open_database(char **scripts, int count) {
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  if (access(path, F_OK) == 0) {
    fprintf(stderr, "raw_sqlite: %s exists; it wants a new file\n", path);
    exit(1);
  }
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(path, &connection, flags, 0) != SQLITE_OK) fail(path);
  for (int i = 0; i < count; i++) execute_file(scripts[i]);
  execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;"
          "PRAGMA secure_delete = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -4096");
  sqlite3_wal_hook(connection, count_log_pages, 0);
}

/* The writes */

enum { id_bytes = 10, checkpoint_pages = 16000 };
static const char collection[] = "/bench/";
static char *document;
static sqlite3_stmt *begin, *newest, *find, *insert_change, *insert_row, *update_row, *commit;

static void make_document(void) {
  static const char head[] = "{\"title\":\"hello\",\"n\":42,\"text\":\"";
  if (bytes < (long)sizeof head + 1) bytes = sizeof head + 1;
  document = malloc(bytes + 1);
  memset(document, 'x', bytes);
  memcpy(document, head, sizeof head - 1);
  memcpy(document + bytes - 2, "\"}", 3);
}

static void prepare_all(void) {
  begin = prepare("BEGIN IMMEDIATE");
  commit = prepare("COMMIT");
  newest = prepare("SELECT sequence, at FROM changes ORDER BY sequence DESC LIMIT 1");
  find = prepare("SELECT key, revision, created_at, updated_at, expires_at, data FROM document_rows "
                 "WHERE collection = ?1 AND id = ?2");
  insert_change = prepare("INSERT INTO changes(sequence, previous, collection, id, kind, at, "
                          "before, before_created_at, before_updated_at, before_expires_at, batch) "
                          "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, NULL, NULL)");
  insert_row = prepare("INSERT INTO document_rows(collection, id, revision, created_at, updated_at, expires_at, data) "
                       "VALUES (?1, ?2, ?3, ?4, ?4, NULL, ?5)");
  update_row = prepare("UPDATE document_rows SET revision = ?2, created_at = ?3, updated_at = ?4, expires_at = NULL, "
                       "data = ?5 WHERE key = ?1");
}

static void bind_text(sqlite3_stmt *statement, int parameter, const char *text, long length) {
  sqlite3_bind_text(statement, parameter, text, (int)length, SQLITE_STATIC);
}

static void bind_path(sqlite3_stmt *statement, int parameter, const char *id) {
  bind_text(statement, parameter, collection, sizeof collection - 1);
  bind_text(statement, parameter + 1, id, id_bytes);
}

static void bind_change(int64_t sequence, const char *id, const char *kind, int64_t at) {
  sqlite3_bind_int64(insert_change, 1, sequence);
  bind_path(insert_change, 3, id);
  bind_text(insert_change, 5, kind, 7);
  sqlite3_bind_int64(insert_change, 6, at);
}

static void create(const char *id, int64_t sequence, int64_t at) {
  bind_change(sequence, id, "created", at);
  run(insert_change);
  bind_path(insert_row, 1, id);
  sqlite3_bind_int64(insert_row, 3, sequence);
  sqlite3_bind_int64(insert_row, 4, at);
  bind_text(insert_row, 5, document, bytes);
  run(insert_row);
}

/* Finds the row, writes what it was into the history, and writes it anew. */
static void put(const char *id, int64_t sequence, int64_t at) {
  bind_path(find, 1, id);
  if (sqlite3_step(find) != SQLITE_ROW) fail("a document is missing");
  int64_t key = sqlite3_column_int64(find, 0), created = sqlite3_column_int64(find, 2);

  bind_change(sequence, id, "updated", at);
  sqlite3_bind_int64(insert_change, 2, sqlite3_column_int64(find, 1));
  const char *before = (const char *)sqlite3_column_text(find, 5);
  bind_text(insert_change, 7, before, sqlite3_column_bytes(find, 5));
  sqlite3_bind_int64(insert_change, 8, created);
  sqlite3_bind_int64(insert_change, 9, sqlite3_column_int64(find, 3));
  run(insert_change);

  /* A statement that stands on the row would make SQLite save its place first. */
  sqlite3_reset(find);
  sqlite3_bind_int64(update_row, 1, key);
  sqlite3_bind_int64(update_row, 2, sequence);
  sqlite3_bind_int64(update_row, 3, created);
  sqlite3_bind_int64(update_row, 4, at);
  bind_text(update_row, 5, document, bytes);
  run(update_row);
}

/* xorshift64* (https://en.wikipedia.org/wiki/Xorshift): the same keys in every run. */
static long random_key(void) {
  static uint64_t state = UINT64_C(0x9E3779B97F4A7C15);
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return (long)((state * UINT64_C(0x2545F4914F6CDD1D) >> 33) % keys);
}

/* One transaction: creates the documents from `first` on, or overwrites random ones where that is negative. */
static void write_group(long count, long first) {
  run(begin);
  int64_t sequence = sqlite3_step(newest) == SQLITE_ROW ? sqlite3_column_int64(newest, 0) : 0;
  sqlite3_reset(newest);
  int64_t at = nanoseconds(CLOCK_REALTIME) / 1000000;
  for (long i = 0; i < count; i++) {
    char id[24];
    snprintf(id, sizeof id, "%010ld", first < 0 ? random_key() : first + i);
    if (first < 0) put(id, ++sequence, at);
    else create(id, ++sequence, at);
  }
  run(commit);
  if (log_pages < checkpoint_pages) return;
  if (sqlite3_wal_checkpoint_v2(connection, 0, SQLITE_CHECKPOINT_PASSIVE, 0, 0) != SQLITE_OK) fail("checkpoint");
  log_pages = 0;
}

static void fill(void) {
  for (long key = 0; key < keys; key += 1000) write_group(keys - key < 1000 ? keys - key : 1000, key);
  sqlite3_wal_checkpoint_v2(connection, 0, SQLITE_CHECKPOINT_PASSIVE, 0, 0);
}

static double measure(void) {
  int64_t start = nanoseconds(CLOCK_MONOTONIC), end = start + (int64_t)(seconds * 1e9), now;
  long done = 0;
  do {
    write_group(group, -1);
    done += group;
  } while ((now = nanoseconds(CLOCK_MONOTONIC)) < end);
  return done * 1e9 / (double)(now - start);
}

int main(int count, char **arguments) {
  static const struct option names[] = {
      {"group", required_argument, 0, 'g'}, {"keys", required_argument, 0, 'k'}, {"bytes", required_argument, 0, 'b'},
      {"seconds", required_argument, 0, 's'}, {"database", required_argument, 0, 'd'}, {0}};
  int option;
  while ((option = getopt_long(count, arguments, "", names, NULL)) != -1) {
    switch (option) {
    case 'g': group = atol(optarg); break;
    case 'k': keys = atol(optarg); break;
    case 'b': bytes = atol(optarg); break;
    case 's': seconds = atof(optarg); break;
    case 'd': path = optarg; break;
    default: return 2;
    }
  }
  if (optind == count || group < 1 || keys < 1) {
    fprintf(stderr, "usage: raw_sqlite --group N --keys K --bytes B --seconds S --database FILE migration.sql ...\n");
    return 2;
  }
  make_document();
  open_database(arguments + optind, count - optind);
  prepare_all();
  fill();
  for (int i = 0; i < 8; i++) write_group(group, -1);
  printf("%.0f\n", measure());
  sqlite3_close_v2(connection);
  return 0;
}
