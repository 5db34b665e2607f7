import CSQLite
import Glibc

/// Notices that the database file or its log is no longer the one that was opened: then writes go to files that nobody
/// will find again, while SQLite reports success.
struct FileWatch {
  private struct Identity: Equatable {
    let device: dev_t
    let inode: ino_t
  }

  private let connection: Connection
  private let logPath: String
  private let logIdentity: Identity?

  /// - Parameter connection: in WAL mode, and has been read from, so that its log exists. SQLite never replaces the
  ///   log while a connection is open: it writes it anew from the start, or cuts it to nothing.
  init(_ connection: Connection, path: String) {
    self.connection = connection
    logPath = path + "-wal"
    logIdentity = Self.identity(of: logPath)
  }

  /// What has happened to the files, for people; nil if they are in place.
  func problem() -> String? {
    var hasMoved: Int32 = 0
    // https://sqlite.org/c3ref/c_fcntl_begin_atomic_write.html#sqlitefcntlhasmoved
    let code = sqlite3_file_control(connection.handle, "main", SQLITE_FCNTL_HAS_MOVED, &hasMoved)
    if code != SQLITE_OK || hasMoved != 0 {
      return "the database file was moved, replaced or removed while it was open: put it back first"
    }
    if Self.identity(of: logPath) != logIdentity {
      return "the write-ahead log \(logPath) was moved, replaced or removed while it was open: put it back first"
    }
    return nil
  }

  private static func identity(of path: String) -> Identity? {
    var status = stat()
    return stat(path, &status) == 0 ? Identity(device: status.st_dev, inode: status.st_ino) : nil
  }
}
