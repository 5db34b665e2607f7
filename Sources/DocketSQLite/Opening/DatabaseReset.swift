import CSQLite
import Glibc
import Migrations

/// Puts an empty database in the place of one whose documents and history are no longer wanted.
public enum DatabaseReset {
  /// Removes a database with its log and makes a new, empty one under a new history id. Where there was none, one is
  /// made.
  ///
  /// It refuses while a server or any other process has the database open, and it refuses a file that is not Docket's.
  /// - Returns: the path of the new database, symbolic links followed.
  @discardableResult
  public static func reset(_ name: String) throws(OpeningError) -> String {
    let path = try DatabasePath(resolving: name)
    let lock = try DatabaseLock(on: path)
    if path.size ?? 0 > 0 {
      try OpeningError.translating(path: path.file) { try remove(path) }
    }
    let file = try DatabaseFile(
      at: path, lock: lock, busyTimeoutMilliseconds: 5_000, migrations: MigrationCatalog.migrations)
    return file.path
  }

  private static func remove(_ path: DatabasePath) throws {
    let connection = try Connection(path: path.file, access: .write)
    defer { connection.close() }
    guard try connection.int64("PRAGMA application_id") == Int64(MigrationCatalog.applicationID) else {
      throw OpeningError.notDocket(path: path.file)
    }
    // Every connection that uses a log keeps a shared lock on the file, which this change cannot pass, even when it
    // has no transaction open (https://sqlite.org/wal.html). What follows keeps new ones out until the files are gone.
    for statement in ["PRAGMA journal_mode = DELETE", "BEGIN EXCLUSIVE"] {
      do throws(SQLiteError) {
        try connection.execute(statement)
      } catch {
        if error.code == SQLITE_BUSY { throw OpeningError.inUse(path: path.file) }
        // Any other failure, of a broken file or a full disk, is one more reason to reset.
      }
    }
    // The log goes first: a new database must never find an old one's log.
    for file in [path.log, path.sharedMemory, path.journal, path.file] {
      guard unlink(file) == 0 || errno == ENOENT else {
        throw OpeningError.notAccessible(path: path.file, reason: "\(file): " + DatabasePath.systemError())
      }
    }
  }
}
