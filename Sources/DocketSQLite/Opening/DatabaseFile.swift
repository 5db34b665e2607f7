import Glibc
import Migrations

/// A database file that is Docket's, of the newest version, and kept from other servers as long as this object lives.
public final class DatabaseFile: Sendable {
  /// Where the file lies, symbolic links followed.
  public let path: String
  /// Whether there was no database before.
  public let isNew: Bool
  /// The versions of the migrations that were run on opening.
  public let appliedMigrations: [Int]
  /// The versions of the migrations that had been run by hand and were recorded on opening.
  public let recordedMigrations: [Int]
  /// What the schema holds that Docket did not make, such as `trigger audit`. It runs with the server's writes, so
  /// operators should know of it.
  public let foreignObjects: [String]
  /// Indexes of collections that could not be made, each with the reason: queries do without them.
  public let missingObjects: [String]
  private let lock: DatabaseLock

  /// How long a process that keeps servers out is waited for: a command that makes or migrates a file does so for a moment,
  /// and so does a server that is just ending.
  package static let lockTimeoutMilliseconds: Int64 = 1_000

  /// Opens a database, or makes one where there is none or an empty file; it blocks for that long.
  ///
  /// - Parameters:
  ///   - name: a path; symbolic links are followed.
  ///   - busyTimeoutMilliseconds: how long another process that holds SQLite's locks is waited for.
  public static func open(_ name: String, busyTimeoutMilliseconds: Int32 = 5_000) throws(OpeningError) -> DatabaseFile {
    try open(name, busyTimeoutMilliseconds: busyTimeoutMilliseconds, migrations: MigrationCatalog.migrations)
  }

  package static func open(
    _ name: String, busyTimeoutMilliseconds: Int32 = 5_000,
    lockTimeoutMilliseconds: Int64 = DatabaseFile.lockTimeoutMilliseconds, migrations: [Migration]
  ) throws(OpeningError) -> DatabaseFile {
    let path = try DatabasePath(resolving: name)
    let lock = try DatabaseLock(on: path, timeoutMilliseconds: lockTimeoutMilliseconds)
    try path.checkLogHasDatabase()
    return try DatabaseFile(
      at: path, lock: lock, busyTimeoutMilliseconds: busyTimeoutMilliseconds, migrations: migrations)
  }

  init(
    at path: DatabasePath, lock: DatabaseLock, busyTimeoutMilliseconds: Int32, migrations: [Migration]
  ) throws(OpeningError) {
    isNew = path.size ?? 0 == 0
    if path.size == nil { try Self.makeEmpty(path) }
    let outcome = try OpeningError.translating(path: path.file) {
      let connection = try Connection(path: path.file, access: .write)
      defer { connection.close() }
      do {
        return try Self.prepare(
          connection, at: path, busyTimeoutMilliseconds: busyTimeoutMilliseconds, migrations: migrations)
      } catch {
        connection.leaveLog()
        throw error
      }
    }
    self.path = path.file
    self.lock = lock
    appliedMigrations = outcome.applied
    recordedMigrations = outcome.recorded
    foreignObjects = outcome.foreignObjects
    missingObjects = outcome.missingObjects
  }

  private static func prepare(
    _ connection: Connection, at path: DatabasePath, busyTimeoutMilliseconds: Int32, migrations: [Migration]
  ) throws -> Migrator.Outcome {
    connection.setBusyTimeout(milliseconds: busyTimeoutMilliseconds)
    // The writer is the only one that checkpoints, once there is one.
    try connection.execute(
      "PRAGMA wal_autocheckpoint = 0; PRAGMA secure_delete = OFF; \(ConnectionSetup.withoutSpilling)")
    let outcome = try Migrator(connection: connection, path: path.file, migrations: migrations).migrate()
    // After the first migration, whose auto_vacuum has to come before anything is written.
    let mode = try connection.string("PRAGMA journal_mode = WAL") ?? ""
    guard mode == "wal" else {
      throw OpeningError.failed(path: path.file, reason: "SQLite's log (WAL) does not work on this file system")
    }
    return outcome
  }

  /// Makes the file before SQLite does, which would let others read it. SQLite gives its log the same mode.
  private static func makeEmpty(_ path: DatabasePath) throws(OpeningError) {
    let descriptor = Glibc.open(path.file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    // Somebody else may have made it since; then it is looked at like any file that was there.
    guard descriptor >= 0 || errno == EEXIST else {
      throw .notAccessible(path: path.file, reason: DatabasePath.systemError())
    }
    if descriptor >= 0 { close(descriptor) }
  }
}
