import Glibc

/// A new directory for one database, which goes with it.
final class StoreDirectory {
  let databasePath: String
  private let path: String

  init() {
    // mkdtemp replaces the last six characters.
    var name = Array("\(getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp")/docket-XXXXXX".utf8CString)
    guard let made = mkdtemp(&name) else {
      fatalError("cannot make a temporary directory: \(String(cString: strerror(errno)))")
    }
    path = String(cString: made)
    databasePath = path + "/docket.db"
  }

  deinit {
    for ending in ["", "-wal", "-shm", ".lock"] { unlink(databasePath + ending) }
    rmdir(path)
  }
}
