import CSQLite
import DocketStore
import Logging

/// Writes the log back into the database file, at moments that the writer chooses
/// (https://sqlite.org/wal.html#checkpointing).
final class Checkpointer {
  private let connection: Connection
  private let threshold: Int64
  private let logger: Logger
  /// How many pages the log holds, as SQLite counts after each commit of this connection.
  private let logPages: UnsafeMutablePointer<Int64>
  /// The next attempt is made when the log holds so many pages.
  private var nextPages: Int64
  private var lastWarningMilliseconds = Int64.min / 2

  /// How long a restart of the log waits for the readers that hold it up.
  private static let restartTimeoutMilliseconds: Int32 = 20
  private static let warningIntervalMilliseconds: Int64 = 60_000

  init(_ connection: Connection, options: SQLiteStoreOptions, logger: Logger) {
    self.connection = connection
    self.logger = logger
    threshold = options.checkpointPages
    nextPages = threshold
    logPages = .allocate(capacity: 1)
    logPages.initialize(to: 0)
    sqlite3_wal_hook(
      connection.handle,
      { pages, _, _, count in
        pages?.assumingMemoryBound(to: Int64.self).pointee = Int64(count)
        return SQLITE_OK
      }, logPages)
  }

  deinit {
    if !connection.isClosed { sqlite3_wal_hook(connection.handle, nil, nil) }
    logPages.deallocate()
  }

  /// To be called between groups: writes back what can be written without waiting, once the log is long. Where readers
  /// have kept SQLite from beginning the log anew until it is twice as long, it waits for them for a moment.
  func afterGroup() {
    let pages = logPages.pointee
    // The log began anew.
    if pages < nextPages - threshold { nextPages = threshold }
    guard pages >= nextPages else { return }
    if pages >= 2 * threshold {
      connection.setBusyTimeout(milliseconds: Self.restartTimeoutMilliseconds)
      defer { connection.setBusyTimeout(milliseconds: 0) }
      checkpoint(SQLITE_CHECKPOINT_RESTART)
    } else {
      checkpoint(SQLITE_CHECKPOINT_PASSIVE)
    }
    nextPages = pages + max(threshold / 4, 1)
  }

  /// Writes back everything and empties the log, if no reader is in the way. Returns whether it is empty now.
  func empty() -> Bool {
    guard checkpoint(SQLITE_CHECKPOINT_TRUNCATE) else { return false }
    logPages.pointee = 0
    nextPages = threshold
    return true
  }

  @discardableResult
  private func checkpoint(_ mode: Int32) -> Bool {
    var pages: Int32 = 0
    var written: Int32 = 0
    let code = sqlite3_wal_checkpoint_v2(connection.handle, "main", mode, &pages, &written)
    if code == SQLITE_OK { return true }
    // Readers in the way are everyday life while the log is of a bearable length.
    if code & 0xff == SQLITE_BUSY, logPages.pointee < 2 * threshold { return false }
    warn(connection.error(code, sql: nil))
    return false
  }

  private func warn(_ error: SQLiteError) {
    let now = WallClock.uptimeMilliseconds()
    guard now - lastWarningMilliseconds >= Self.warningIntervalMilliseconds else { return }
    lastWarningMilliseconds = now
    logger.warning(
      "the write-ahead log could not be written back into the database file and grows",
      metadata: ["error": "\(error)", "pages": "\(logPages.pointee)"])
  }
}
