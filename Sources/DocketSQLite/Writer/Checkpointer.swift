import CSQLite
import DocketStore
import Logging

/// Writes the log back into the database file, at moments that the writer chooses
/// (https://sqlite.org/wal.html#checkpointing).
final class Checkpointer {
  private let connection: Connection
  private let threshold: Int64
  private let logger: Logger
  private let log: CommitLog
  /// The next attempt is made when the log holds so many pages.
  private var nextPages: Int64
  private var warnings = WarningInterval()

  /// How long a restart of the log waits for the readers that hold it up, and writes with it.
  ///
  /// Queries that follow one another without a gap each begin before the one before has ended, so that a moment without any
  /// has to be made: once all is written back, and nothing is written meanwhile, new readers no longer hold the log up
  /// (https://sqlite.org/wal.html#avoiding_excessively_large_wal_files), and the wait is for those that have begun. It is
  /// the longer the longer the log is: 20 ms where it is twice as long as it should be, half a second from ten times on.
  private func restartTimeoutMilliseconds(pages: Int64) -> Int32 {
    let excess = Int32(min(pages / max(2 * threshold, 1), 5))
    return 20 * excess * excess
  }

  init(_ connection: Connection, log: CommitLog, options: SQLiteStoreOptions, logger: Logger) {
    self.connection = connection
    self.log = log
    self.logger = logger
    threshold = options.checkpointPages
    nextPages = threshold
  }

  /// To be called between groups: writes back what can be written without waiting, once the log is long. Where readers
  /// have kept SQLite from beginning the log anew until it is twice as long, it waits for them for a moment.
  /// - Throws: what makes the store unusable; other failures are logged.
  func afterGroup() throws(SQLiteError) {
    let pages = log.pages
    // The log began anew.
    if pages < nextPages - threshold { nextPages = threshold }
    guard pages >= nextPages else { return }
    if pages >= 2 * threshold {
      connection.setBusyTimeout(milliseconds: restartTimeoutMilliseconds(pages: pages))
      defer { connection.setBusyTimeout(milliseconds: 0) }
      _ = try checkpoint(SQLITE_CHECKPOINT_RESTART)
    } else {
      _ = try checkpoint(SQLITE_CHECKPOINT_PASSIVE)
    }
    // Waits become longer, and rarer: a reader that stays for minutes must not stop writes every other second.
    nextPages = pages + max(min(max(threshold, pages / 2) / 4, threshold), 1)
  }

  /// Writes back everything and empties the log, if no reader is in the way. Returns whether it is empty now.
  func empty() throws(SQLiteError) -> Bool {
    guard try checkpoint(SQLITE_CHECKPOINT_TRUNCATE) else { return false }
    log.noteEmptied()
    nextPages = threshold
    return true
  }

  private func checkpoint(_ mode: Int32) throws(SQLiteError) -> Bool {
    let code = sqlite3_wal_checkpoint_v2(connection.handle, "main", mode, nil, nil)
    if code == SQLITE_OK { return true }
    let error = connection.error(code, sql: nil)
    switch error.code {
    case SQLITE_BUSY, SQLITE_LOCKED:
      // Readers in the way are everyday life while the log is of a bearable length.
      if log.pages >= 2 * threshold { warn(error) }
    case SQLITE_FULL, SQLITE_NOMEM:
      warn(error)
    default:
      // Above all a sync that failed: the next one would succeed without having written what this one lost.
      throw error
    }
    return false
  }

  private func warn(_ error: SQLiteError) {
    guard warnings.permit() else { return }
    logger.warning(
      "the write-ahead log could not be written back into the database file and grows",
      metadata: ["error": "\(error)", "pages": "\(log.pages)"])
  }
}
