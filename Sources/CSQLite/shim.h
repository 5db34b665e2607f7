#pragma once

#include <sqlite3.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

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

// The index of the write-ahead log, which all processes that have the file open share in memory: its first part, or null.
// The connection must have read in WAL mode. The memory stays where it is until the connection is closed
// (https://sqlite.org/c3ref/io_methods.html, xShmMap; https://sqlite.org/walformat.html, "The WAL-Index File Format").
static inline const void *docket_log_index(sqlite3 *connection) {
  sqlite3_file *file = 0;
  if (sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK) return 0;
  if (!file || !file->pMethods || file->pMethods->iVersion < 2 || !file->pMethods->xShmMap) return 0;
  void volatile *part = 0;
  if (file->pMethods->xShmMap(file, 0, 32768, 0, &part) != SQLITE_OK) return 0;
  return (const void *)part;
}

// The write-ahead log of a connection, once it has read in WAL mode; otherwise its rollback journal, or null
// (https://sqlite.org/c3ref/c_fcntl_begin_atomic_write.html, SQLITE_FCNTL_JOURNAL_POINTER).
static inline sqlite3_file *docket_log_file(sqlite3 *connection) {
  sqlite3_file *file = 0;
  return sqlite3_file_control(connection, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file) == SQLITE_OK ? file : 0;
}

// The header of that index: 48 bytes, of which there are two copies. A commit writes the second, then the first.
enum { docket_log_header_words = 6 };

// Reads the header. Returns 0 while a commit is writing it.
static inline int docket_log_header(const void *index, uint64_t header[docket_log_header_words]) {
  const uint64_t *words = (const uint64_t *)index;
  int same = 1;
  for (int i = 0; i < docket_log_header_words; i++) header[i] = __atomic_load_n(words + i, __ATOMIC_ACQUIRE);
  for (int i = 0; i < docket_log_header_words; i++)
    same &= header[i] == __atomic_load_n(words + docket_log_header_words + i, __ATOMIC_ACQUIRE);
  return same;
}

// Exchanges two files of one directory tree in one step, which the C library offers to C alone. Returns 0, or -1 with errno
// (https://man7.org/linux/man-pages/man2/rename.2.html, RENAME_EXCHANGE).
static inline int docket_exchange_files(const char *a, const char *b) {
  enum { at_working_directory = -100, exchange = 2 };
  return (int)syscall(SYS_renameat2, at_working_directory, a, at_working_directory, b, exchange);
}

// Renames a file in one step unless the new name is taken already, which file systems without hard links know as well. Returns 0,
// or -1 with errno: EEXIST where it is taken, EINVAL where the file system does not know this
// (https://man7.org/linux/man-pages/man2/rename.2.html, RENAME_NOREPLACE).
static inline int docket_rename_to_new(const char *from, const char *to) {
  enum { at_working_directory = -100, no_replacing = 1 };
  return (int)syscall(SYS_renameat2, at_working_directory, from, at_working_directory, to, no_replacing);
}
