import CSQLite
import DocketStore
import Migrations

/// The tokens of a database file, for whoever may write to the file: by that the first token is made, and one is replaced that
/// was lost. It works also while a server has the file, which takes notice within a second.
public final class TokenFile {
  private let connection: Connection
  private let table: TokenTable
  private let clock: WallClock
  /// Keeps servers out, where none has the file.
  private let file: DatabaseFile?
  /// Whether a server has the file.
  public var isServed: Bool { file == nil }

  private static let busyTimeoutMilliseconds: Int32 = 5_000

  /// Opens a file, or makes one where there is none.
  public static func open(path: String, clock: WallClock = .system) throws(OpeningError) -> TokenFile {
    do {
      let file = try DatabaseFile.open(path)
      return try TokenFile(file.path, file, clock)
    } catch {
      guard case .alreadyServed(let path, _) = error else { throw error }
      return try TokenFile(path, nil, clock)
    }
  }

  private init(_ path: String, _ file: DatabaseFile?, _ clock: WallClock) throws(OpeningError) {
    (connection, table) = try OpeningError.translating(path: path) {
      let connection = try Connection(path: path, access: .write)
      connection.setBusyTimeout(milliseconds: Self.busyTimeoutMilliseconds)
      let version = Int(try connection.int64("PRAGMA user_version") ?? 0)
      // A file that nobody serves is of this version by now.
      guard version == MigrationCatalog.currentVersion else {
        throw OpeningError.servedByAnother(path: path, version: version, ours: MigrationCatalog.currentVersion)
      }
      // A server's writer is the only one that checkpoints. What is written here is synced with its commit.
      try connection.execute(
        "PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = FULL; \(ConnectionSetup.withoutSpilling)")
      if file == nil { _ = docket_db_config_switch(connection.handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1) }
      return (connection, try TokenTable(connection))
    }
    self.file = file
    self.clock = clock
  }

  deinit { connection.close() }

  public func tokens() throws(StoreError) -> [AccessToken] {
    do {
      return try table.tokens()
    } catch {
      throw StoreError(reading: error)
    }
  }

  public func add(_ token: NewToken) throws(StoreError) -> AccessToken {
    guard let token = try write(.add(token)) else { preconditionFailure("a token that is added is there") }
    return token
  }

  /// Revokes the token of this name or id; nil where there is none that is not revoked.
  public func revoke(_ nameOrID: String) throws(StoreError) -> AccessToken? {
    try write(.revoke(nameOrID))
  }

  private func write(_ change: TokenChange) throws(StoreError) -> AccessToken? {
    let result: Result<AccessToken?, StoreError>
    do throws(SQLiteError) {
      try connection.execute("BEGIN IMMEDIATE")
      result = try table.carryOut(change, wall: clock.milliseconds())
      try connection.execute("COMMIT")
    } catch {
      if connection.isInTransaction { try? connection.execute("ROLLBACK") }
      throw error.code == SQLITE_BUSY
        ? .busy(waitedMilliseconds: Int64(Self.busyTimeoutMilliseconds)) : .failed(reason: error.description)
    }
    return try result.get()
  }
}
