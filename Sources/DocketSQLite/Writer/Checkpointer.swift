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
  /// Why the last attempt failed that did.
  private var lastRefusal: SQLiteError?
  private let gate: ReaderGate

  /// How long a restart of the log waits for the readers that hold it up.
  private static let restartTimeoutMilliseconds: Int32 = 20

  /// - Parameter gate: what long reads pass.
  init(_ connection: Connection, log: CommitLog, gate: ReaderGate, options: SQLiteStoreOptions, logger: Logger) {
    self.gate = gate
    self.connection = connection
    self.log = log
    self.logger = logger
    threshold = options.checkpointPages
    nextPages = threshold
  }

  /// To be called between groups: writes back what can be written without waiting, once the log is long. Where readers
  /// have kept SQLite from beginning the log anew until it is twice as long, it waits for them for a moment; where that is not
  /// enough, none begins until those that are there have ended, while writes go on.
  /// - Throws: what makes the store unusable; other failures are logged.
  func afterGroup() throws(SQLiteError) {
    let pages = log.pages
    // The log began anew.
    if pages < nextPages - threshold { nextPages = threshold }
    if gate.isClosed {
      guard !gate.waitsForReaders else { return }
      // Whoever still holds the log then is no long read of this process's, or one that is longer than others are to wait.
      defer { gate.open() }
      if try !restart() { warn() }
    } else if pages < nextPages {
      return
    } else if pages >= 2 * threshold {
      if try !restart(), lastRefusal?.isOfOthers == true { gate.close() }
    } else {
      _ = try checkpoint(SQLITE_CHECKPOINT_PASSIVE)
    }
    nextPages = pages + max(threshold / 4, 1)
  }

  /// Has the next commit begin the log anew, if those who read are done in a moment.
  private func restart() throws(SQLiteError) -> Bool {
    connection.setBusyTimeout(milliseconds: Self.restartTimeoutMilliseconds)
    defer { connection.setBusyTimeout(milliseconds: 0) }
    return try checkpoint(SQLITE_CHECKPOINT_RESTART)
  }

  /// Writes back everything and empties the log, if no reader is in the way. Returns whether it is empty now.
  ///
  /// Within a closed gate some may still read: then nothing is done, and it stays closed. If each pause between writes opened it,
  /// a log that grows by a write now and then would never begin anew beside reads that overlap.
  func empty() throws(SQLiteError) -> Bool {
    guard !gate.waitsForReaders else { return false }
    defer { gate.open() }
    guard try checkpoint(SQLITE_CHECKPOINT_TRUNCATE) else {
      if log.pages >= 2 * threshold { warn() }
      return false
    }
    log.noteEmptied()
    nextPages = threshold
    return true
  }

  /// - Returns: false where readers, or another process, were in the way, or there was no room.
  private func checkpoint(_ mode: Int32) throws(SQLiteError) -> Bool {
    let code = sqlite3_wal_checkpoint_v2(connection.handle, "main", mode, nil, nil)
    if code == SQLITE_OK { return true }
    let error = connection.error(code, sql: nil)
    switch error.code {
    case _ where error.isOfOthers:
      // Readers in the way are everyday life while the log is of a bearable length.
      lastRefusal = error
    case SQLITE_FULL, SQLITE_NOMEM:
      lastRefusal = error
      warn()
    default:
      // Above all a sync that failed: the next one would succeed without having written what this one lost.
      throw error
    }
    return false
  }

  private func warn() {
    guard let lastRefusal, warnings.permit() else { return }
    logger.warning(
      "the write-ahead log could not be written back into the database file and grows",
      metadata: ["error": "\(lastRefusal)", "pages": "\(log.pages)"])
  }
}

extension SQLiteError {
  /// Whether somebody was in the way.
  fileprivate var isOfOthers: Bool { code == SQLITE_BUSY || code == SQLITE_LOCKED }
}
