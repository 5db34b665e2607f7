import CSQLite
import Glibc
import Migrations

/// A database that nobody else has open, neither a server nor any other process, for as long as this object lives.
///
/// Its log is empty and gone, since nobody is to find the log of one file beside another.
final class ExclusiveDatabase {
  let path: DatabasePath
  /// Nil: there is no file, an empty one, or one that SQLite cannot read.
  private(set) var connection: Connection?
  /// Why SQLite cannot read the file; nil where it can, and where there is none.
  private(set) var defect: String?
  private let lock: DatabaseLock
  private var isInPlace = true

  /// - Parameter isDefectiveAllowed: whether a file that SQLite cannot read will do.
  init(_ name: String, mayBeDefective isDefectiveAllowed: Bool = false) throws(OpeningError) {
    let path = try DatabasePath(resolving: name)
    self.path = path
    lock = try DatabaseLock(on: path)
    guard path.size ?? 0 > 0 else { return }
    do {
      connection = try OpeningError.translating(path: path.file) { try Self.connect(path) }
    } catch {
      guard isDefectiveAllowed, let reason = error.defect else { throw error }
      defect = reason
    }
  }

  /// Another file has taken the place of this one.
  func wasReplaced() { isInPlace = false }

  deinit {
    guard let connection else { return }
    connection.close()
    // It is to have a log again, as the server and the commands expect. Where somebody has it open by now, the server sees
    // to that when it starts.
    if isInPlace { try? Self.switchToLog(path.file) }
  }

  /// Marks a file as one with a log, which is empty and gone again.
  static func switchToLog(_ file: String) throws(SQLiteError) {
    let connection = try Connection(path: file, access: .write)
    defer { connection.close() }
    _ = try connection.string("PRAGMA journal_mode = WAL")
  }

  private static func connect(_ path: DatabasePath) throws -> Connection {
    let connection = try Connection(path: path.file, access: .write)
    do {
      try connection.execute("PRAGMA secure_delete = OFF")
      let application = try connection.int64("PRAGMA application_id")
      if application != Int64(MigrationCatalog.applicationID), try !Schema(of: connection).looksLikeDocket {
        throw OpeningError.notDocket(path: path.file)
      }
      do {
        // What a change that was killed has left is undone and removed by this; later its journal would be in the way.
        if access(path.journal, F_OK) == 0 { _ = try connection.string("PRAGMA journal_mode = WAL") }
        // Every connection that uses a log keeps a shared lock on the file, which this change cannot pass, even when it
        // has no transaction open (https://sqlite.org/wal.html). It writes the log back and removes it.
        guard try connection.string("PRAGMA journal_mode = DELETE") == "delete" else {
          throw OpeningError.inUse(path: path.file)
        }
        // The lock stays behind the transaction (https://sqlite.org/pragma.html#pragma_locking_mode).
        try connection.execute("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT")
      } catch let error as SQLiteError where error.code == SQLITE_BUSY {
        throw OpeningError.inUse(path: path.file)
      }
      return connection
    } catch {
      connection.leaveLog()
      connection.close()
      throw error
    }
  }
}
