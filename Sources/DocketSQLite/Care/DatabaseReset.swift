import CSQLite
import Glibc
import Migrations

/// Puts an empty database in the place of one whose documents and history are no longer wanted.
public enum DatabaseReset {
  public struct Outcome: Sendable, Equatable {
    /// Symbolic links followed.
    public let path: String
    /// Whether there was none before.
    public internal(set) var isNew = false
    /// How many tokens, revoked ones among them, stay as they were.
    public internal(set) var keptTokens = 0
    /// How many went; nil: those of a file that could not be read.
    public internal(set) var removedTokens: Int? = 0
  }

  /// Makes an empty database, under a new history id, in the place of one. Where there was none, one is made.
  ///
  /// It refuses while a server or any other process has the database open; it refuses a file that is not Docket's, and to make one
  /// where a log is left of another. It may be killed at any time, and where there are tokens to keep the database is then the
  /// former or the new one.
  /// - Parameter keepsTokens: without its tokens a database is open to everybody who reaches its server.
  @discardableResult
  public static func reset(_ name: String, keepsTokens: Bool = true) throws(CareError) -> Outcome {
    try CareError.translating(path: name) {
      let path = try DatabasePath(resolving: name)
      let lock = try DatabaseLock(on: path)
      return try CareError.translating(path: path.file) {
        let size = path.size
        guard size ?? 0 > 0 else {
          // Whoever resets knows which documents go; of those in such a log nobody knows.
          try path.checkLogHasDatabase()
          var outcome = try make(path, lock)
          outcome.isNew = size == nil
          return outcome
        }
        return try replace(path, lock, keepsTokens: keepsTokens)
      }
    }
  }

  private static func make(_ path: DatabasePath, _ lock: DatabaseLock) throws -> Outcome {
    let file = try DatabaseFile(
      at: path, lock: lock, busyTimeoutMilliseconds: 5_000, migrations: MigrationCatalog.migrations)
    return Outcome(path: file.path)
  }

  private static func replace(_ path: DatabasePath, _ lock: DatabaseLock, keepsTokens: Bool) throws -> Outcome {
    let former = try Connection(path: path.file, access: .write)
    defer { former.close() }
    // What is refused stays as it was found; what is replaced has no log any more.
    former.leaveLog()
    if try former.int64("PRAGMA application_id") != Int64(MigrationCatalog.applicationID),
      try !Schema(of: former).looksLikeDocket
    {
      throw OpeningError.notDocket(path: path.file)
    }
    let version = Int(try former.int64("PRAGMA user_version") ?? 0)
    if keepsTokens, version > MigrationCatalog.currentVersion {
      throw CareError.tokensNotKept(
        path: path.file,
        reason: "they are of version \(version), and this docket knows \(MigrationCatalog.currentVersion) at most")
    }
    // Others are shut out by writing the log back, so this comes before.
    if keepsTokens, let defect = TokenRetention(of: former).defect {
      throw CareError.tokensNotKept(path: path.file, reason: defect)
    }
    let failure = try shutOthersOut(of: former, path)
    let tokens = TokenRetention(of: former)
    guard keepsTokens, tokens.mayHaveTokens else {
      let owner = FileOwner(of: path.file)
      let file = FileReference(path.file)
      try remove(path)
      if failure == nil { former.emptyFile(ifNameless: file) }
      former.close()
      var outcome = try make(path, lock)
      owner?.give(path.file)
      outcome.removedTokens = tokens.tokens?.count
      return outcome
    }
    guard let count = tokens.tokens?.count, failure == nil else {
      // It is to have a log again, as the server and the commands expect.
      try? former.execute("COMMIT")
      _ = try? former.string("PRAGMA journal_mode = WAL")
      throw CareError.tokensNotKept(path: path.file, reason: tokens.defect ?? failure?.message ?? "")
    }
    try put(tokens, inPlaceOf: former, path, lock)
    return Outcome(path: path.file, keptTokens: count)
  }

  /// Every connection that uses a log keeps a shared lock on the file, which the first change cannot pass, even when it has no
  /// transaction open (https://sqlite.org/wal.html). The second keeps new ones out until another file is there.
  /// - Returns: why that could not be done, of a broken file or a full disk, which may be the reason to reset.
  private static func shutOthersOut(of former: Connection, _ path: DatabasePath) throws -> SQLiteError? {
    var failure: SQLiteError?
    for statement in ["PRAGMA journal_mode = DELETE", "BEGIN EXCLUSIVE"] {
      do throws(SQLiteError) {
        try former.execute(statement)
      } catch {
        if error.code == SQLITE_BUSY { throw OpeningError.inUse(path: path.file) }
        failure = failure ?? error
      }
    }
    return failure
  }

  private static func remove(_ path: DatabasePath) throws {
    // The log goes first: a new database must never find an old one's log.
    for file in [path.log, path.sharedMemory, path.journal, path.file] {
      guard unlink(file) == 0 || errno == ENOENT else {
        throw OpeningError.notAccessible(path: path.file, reason: "\(file): " + DatabasePath.systemError())
      }
    }
  }

  /// There is no moment at which the database is there without its tokens.
  private static func put(
    _ tokens: TokenRetention, inPlaceOf former: Connection, _ path: DatabasePath, _ lock: DatabaseLock
  ) throws {
    let replacement = try ReplacementFile(of: path, heldBy: lock)
    chmod(replacement.path, 0o600)
    do {
      let connection = try Connection(path: replacement.path, access: .write)
      defer { connection.close() }
      _ = try Migrator(
        connection: connection, path: path.file, migrations: MigrationCatalog.migrations
      ).migrate()
      try tokens.put(into: connection, revoking: [], wall: WallClock.system.milliseconds())
      _ = try connection.string("PRAGMA journal_mode = WAL")
    }
    // One that told of anything was played back when the tokens were read.
    unlink(path.journal)
    let file = FileReference(path.file)
    try replacement.finish(keepingFormerAs: nil)
    former.emptyFile(ifNameless: file)
  }
}
