import CSQLite
import DocketStore
import Migrations

/// The tokens of a database file, for whoever may write to the file: by that the first token is made, and one is replaced that
/// was lost. It works also while a server has the file, which takes notice within a second.
///
/// It keeps no server out: SQLite's own locks are enough for what it does, as they are for `sqlite3`. Only a file that is still
/// to be made, or is of an older version, is kept from servers until it is as it should be.
public final class TokenFile {
  private let connection: Connection
  private let table: TokenTable
  private let writer: TokenWriter
  private let clock: WallClock
  private let files: FileWatch

  private static let busyTimeoutMilliseconds: Int32 = 5_000

  /// Opens a file, or makes one where there is none.
  public static func open(
    path name: String, limits: TokenLimits = TokenLimits(), clock: WallClock = .system
  ) throws(OpeningError) -> TokenFile {
    let path = try DatabasePath(resolving: name)
    if try !isCurrent(path) {
      do {
        _ = try DatabaseFile.open(path.file)
      } catch {
        // Then it is as new as its server.
        guard case .alreadyServed = error else { throw error }
      }
    }
    return try TokenFile(path.file, limits, clock)
  }

  /// Whether there is a file of the newest version.
  private static func isCurrent(_ path: DatabasePath) throws(OpeningError) -> Bool {
    guard path.size ?? 0 > 0 else { return false }
    return try OpeningError.translating(path: path.file) {
      let connection = try Connection(path: path.file, access: .write)
      connection.leaveLog()
      defer { connection.close() }
      connection.setBusyTimeout(milliseconds: busyTimeoutMilliseconds)
      return try connection.int64("PRAGMA application_id") == Int64(MigrationCatalog.applicationID)
        && connection.int64("PRAGMA user_version") == Int64(MigrationCatalog.currentVersion)
    }
  }

  private init(_ path: String, _ limits: TokenLimits, _ clock: WallClock) throws(OpeningError) {
    (connection, table, writer) = try OpeningError.translating(path: path) {
      let connection = try Connection(path: path, access: .write)
      do {
        connection.setBusyTimeout(milliseconds: Self.busyTimeoutMilliseconds)
        let version = Int(try connection.int64("PRAGMA user_version") ?? 0)
        guard version == MigrationCatalog.currentVersion else {
          throw OpeningError.servedByAnother(path: path, version: version, ours: MigrationCatalog.currentVersion)
        }
        // A server's writer is the only one that checkpoints. What is written here is synced with its commit. (The last
        // connection of all writes the log back when it closes, and then there is no server.)
        try connection.execute(
          "PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = FULL; \(ConnectionSetup.withoutSpilling)")
        return (connection, try TokenTable(connection), try TokenWriter(connection, limits: limits))
      } catch {
        connection.leaveLog()
        connection.close()
        throw error
      }
    }
    files = FileWatch(connection, path: path)
    self.clock = clock
  }

  deinit { connection.close() }

  /// Whether there has never been a token, so that a server of this file answers everybody.
  public func isOpen() throws(StoreError) -> Bool {
    try reading { () throws(SQLiteError) in try table.changes() } == 0
  }

  /// Those that there are and were, the oldest first.
  public func tokens() throws(StoreError) -> [AccessToken] {
    try reading { () throws(SQLiteError) in try table.tokens() }
  }

  public func add(_ token: NewToken) throws(StoreError) -> AccessToken {
    guard let token = try write(.add(token)) else { preconditionFailure("a token that is added is there") }
    return token
  }

  /// Revokes the token of this name or id; nil where there is none that is not revoked.
  public func revoke(_ nameOrID: String) throws(StoreError) -> AccessToken? {
    try write(.revoke(nameOrID))
  }

  private func reading<Value>(_ read: () throws(SQLiteError) -> Value) throws(StoreError) -> Value {
    do throws(SQLiteError) {
      return try read()
    } catch {
      throw StoreError(reading: error)
    }
  }

  private func write(_ change: TokenChange) throws(StoreError) -> AccessToken? {
    let result: Result<AccessToken?, StoreError>
    do throws(SQLiteError) {
      try connection.execute("BEGIN IMMEDIATE")
      result = try writer.carryOut(change, wall: clock.milliseconds())
      try connection.execute("COMMIT")
    } catch {
      if connection.isInTransaction { try? connection.execute("ROLLBACK") }
      throw error.code == SQLITE_BUSY
        ? .busy(waitedMilliseconds: Int64(Self.busyTimeoutMilliseconds)) : .failed(reason: error.description)
    }
    // By a restoration, say: then nobody will find what was written.
    if let problem = files.problem() { throw .failed(reason: problem) }
    return try result.get()
  }
}
