import CSQLite

/// Ends what SQLite does on a connection, from another thread: where one step takes long by itself, as the check of a large
/// file's pages does, nothing else can (https://sqlite.org/c3ref/interrupt.html).
final class Interruption: Sendable {
  private let handle = Monitor<OpaquePointer?>(nil)

  /// Runs what may be interrupted; it fails with SQLITE_INTERRUPT then.
  func covering<Value>(_ connection: Connection, _ body: () throws -> Value) rethrows -> Value {
    handle.withLock { $0 = connection.handle }
    // Behind this the connection may be closed.
    defer { handle.withLock { $0 = nil } }
    return try body()
  }

  /// Ends what runs now. What begins later is not ended, so whoever wants an end calls this until it has come.
  func interrupt() {
    handle.withLock { handle in
      if let handle { sqlite3_interrupt(handle) }
    }
  }
}
