import CSQLite
import Glibc

/// A database file that is only read, wherever it lies: beside a server, in a folder of backups, on a disk that cannot be
/// written to.
struct ReadableFile {
  /// Symbolic links followed.
  let path: String

  init(_ name: String) throws(CareError) {
    guard let resolved = realpath(name, nil) else {
      guard errno == ENOENT else {
        throw .opening(.notAccessible(path: name, reason: DatabasePath.systemError()))
      }
      throw .missing(path: name)
    }
    defer { free(resolved) }
    path = String(cString: resolved)
    var status = stat()
    guard stat(path, &status) == 0 else { throw .missing(path: name) }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw .opening(.isDirectory(path: path))
    default: throw .opening(.notRegularFile(path: path))
    }
    guard access(path, R_OK) == 0 else {
      throw .failed(path: path, reason: "\(DatabasePath.systemError()); let the user that runs docket read it")
    }
    guard status.st_size > 0 else {
      var log = stat()
      guard stat(path + "-wal", &log) != 0 || log.st_size == 0 else { throw .opening(.logWithoutDatabase(path: path)) }
      throw .failed(path: path, reason: "is empty; name another file")
    }
  }

  /// A connection that writes nothing, and leaves the files beside the database as they were.
  func connect() throws(SQLiteError) -> Connection {
    let connection = try open()
    do {
      try connection.execute(
        "PRAGMA query_only = ON; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -\(Self.cacheBytes >> 10)")
      connection.setBusyTimeout(milliseconds: Self.busyTimeoutMilliseconds)
      return connection
    } catch {
      connection.close()
      throw error
    }
  }

  private func open() throws(SQLiteError) -> Connection {
    // A log that is there is left alone: a connection that only reads neither writes it back nor removes it.
    if access(path + "-wal", F_OK) == 0 || access(path + "-journal", F_OK) == 0 {
      return try Connection(path: path, access: .read)
    }
    let directory = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) + "/"
    if access(path, W_OK) == 0, access(directory, W_OK) == 0 {
      // SQLite makes an empty log to read a file in WAL mode, and the last connection that may write removes it.
      return try Connection(path: path, access: .write)
    }
    // Where no log can be made there is nobody who writes (https://sqlite.org/wal.html, "Read-Only Databases").
    return try Connection(immutable: path)
  }

  private static let cacheBytes = 32 << 20
  private static let busyTimeoutMilliseconds: Int32 = 5_000
}
