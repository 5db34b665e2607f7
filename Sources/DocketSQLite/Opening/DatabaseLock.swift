import Glibc

/// Keeps a second server away from a database: a file beside it, locked by `flock` as long as this object lives.
///
/// The lock is not on the database itself, which `sqlite3` may open at any time, and whose descriptors nobody but
/// SQLite may close (https://sqlite.org/howtocorrupt.html, section 2.2). The system drops it when the process dies, so
/// a lock file that was left behind means nothing.
final class DatabaseLock: Sendable {
  private let path: String
  private let descriptor: Int32

  /// How often it is tried again while another process has it.
  private static let pauseMicroseconds: UInt32 = 10_000

  /// Takes the lock, or says which process has it.
  /// - Parameter timeoutMilliseconds: how long a process that has it is waited for. It blocks for that long.
  init(on database: DatabasePath, timeoutMilliseconds: Int64 = 0) throws(OpeningError) {
    path = database.lock
    let end = WallClock.uptimeMilliseconds() + timeoutMilliseconds
    while true {
      let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
      guard descriptor >= 0 else {
        throw .notAccessible(path: database.file, reason: "lock file \(path): " + DatabasePath.systemError())
      }
      guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
        let reason = errno
        let process = Self.readProcess(descriptor)
        Glibc.close(descriptor)
        guard reason == EWOULDBLOCK else {
          throw .notAccessible(path: database.file, reason: "lock file \(path): " + String(cString: strerror(reason)))
        }
        guard WallClock.uptimeMilliseconds() < end else {
          throw .alreadyServed(path: database.file, process: process)
        }
        usleep(Self.pauseMicroseconds)
        continue
      }
      // Whoever had the lock may have removed the file between the two calls: then this is the lock of nothing.
      if Self.isStill(descriptor, at: path) {
        self.descriptor = descriptor
        Self.giveAway(descriptor, beside: database)
        break
      }
      Glibc.close(descriptor)
    }
    writeProcess()
  }

  deinit {
    // It is removed while it is still locked, so nobody else's lock can be removed here.
    unlink(path)
    Glibc.close(descriptor)
  }

  /// What root makes is given to whose the database is: where root's command is killed, the file that it leaves must not keep
  /// out that user's server. A file that has a second name stays as it is: somebody may have put it there to get it.
  private static func giveAway(_ descriptor: Int32, beside database: DatabasePath) {
    var status = stat()
    guard geteuid() == 0, fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_nlink == 1
    else {
      return
    }
    FileOwner.ofFiles(beside: database)?.give(descriptor)
  }

  /// For people and for the message of a second server; nothing depends on it.
  private func writeProcess() {
    let text = Array("\(getpid())\n".utf8)
    ftruncate(descriptor, 0)
    pwrite(descriptor, text, text.count, 0)
  }

  private static func readProcess(_ descriptor: Int32) -> Int32? {
    var text = [UInt8](repeating: 0, count: 16)
    let count = pread(descriptor, &text, text.count, 0)
    guard count > 0 else { return nil }
    return Int32(String(decoding: text[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
  }

  private static func isStill(_ descriptor: Int32, at path: String) -> Bool {
    var opened = stat()
    var named = stat()
    return fstat(descriptor, &opened) == 0 && stat(path, &named) == 0
      && opened.st_dev == named.st_dev && opened.st_ino == named.st_ino
  }
}
