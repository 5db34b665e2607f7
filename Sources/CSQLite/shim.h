#pragma once

#include <sqlite3.h>

// sqlite3_db_config is variadic, which Swift cannot call: this is its form for switches
// (https://sqlite.org/c3ref/db_config.html).
static inline int docket_db_config_switch(sqlite3 *connection, int option, int on) {
  return sqlite3_db_config(connection, option, on, (int *)0);
}

// sqlite3_config is variadic, too (https://sqlite.org/c3ref/config.html).
static inline int docket_config_memory_statistics(int on) {
  return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, on);
}

// SQLITE_TRANSIENT and SQLITE_STATIC are casts, which Swift does not import
// (https://sqlite.org/c3ref/c_static.html).
static inline int docket_bind_text_static(sqlite3_stmt *statement, int index, const char *text, int bytes) {
  return sqlite3_bind_text(statement, index, text, bytes, SQLITE_STATIC);
}
static inline int docket_bind_text_transient(sqlite3_stmt *statement, int index, const char *text, int bytes) {
  return sqlite3_bind_text(statement, index, text, bytes, SQLITE_TRANSIENT);
}
