import CSQLite

/// The writer's transactions, from ready statements.
final class WriteTransaction {
  private let connection: Connection
  private let mark: SyncMark
  private let beginImmediate: Statement
  private let commitStatement: Statement
  private let rollback: Statement

  /// - Parameter mark: is told of each commit before it is made.
  init(_ connection: Connection, mark: SyncMark) throws(SQLiteError) {
    self.connection = connection
    self.mark = mark
    beginImmediate = try connection.prepare("BEGIN IMMEDIATE")
    commitStatement = try connection.prepare("COMMIT")
    rollback = try connection.prepare("ROLLBACK")
  }

  /// Begins a transaction that will not meet another writer. Returns false if another process has the write lock.
  func begin() throws(SQLiteError) -> Bool {
    do {
      try beginImmediate.run()
      return true
    } catch {
      guard error.code == SQLITE_BUSY || error.code == SQLITE_PROTOCOL else { throw error }
      return false
    }
  }

  func commit() throws(SQLiteError) {
    mark.willCommit()
    try commitStatement.run()
  }

  /// Undoes a transaction after an error, unless SQLite has done so itself (https://sqlite.org/lang_transaction.html).
  func undo() throws(SQLiteError) {
    if connection.isInTransaction { try rollback.run() }
  }
}

extension SQLiteError {
  /// Whether a transaction that meets this error can be undone for certain, and its work tried again. After any other
  /// error nothing may be written any more: an error in a commit leaves open what is on disk.
  var isHarmless: Bool {
    code == SQLITE_FULL || code == SQLITE_NOMEM || code == SQLITE_BUSY || isRefusal || isInterruption
  }

  /// Whether what settings need was not made because the store closes (`BuildProgress.stop`); nothing else is interrupted.
  var isInterruption: Bool { code == SQLITE_INTERRUPT }

  /// Whether the database itself refuses: a constraint, a trigger that raises an error, or one, or an index, of an operator's that
  /// cannot do with the document what it says. That undoes the one statement, and nothing has gone to the disk.
  var isRefusal: Bool { [SQLITE_CONSTRAINT, SQLITE_ERROR, SQLITE_MISMATCH, SQLITE_TOOBIG].contains(code) }
}
