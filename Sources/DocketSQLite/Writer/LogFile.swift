import CSQLite
import Glibc

/// The write-ahead log as a file that is synced beside SQLite, on another thread than the one that writes it.
///
/// It has a descriptor of its own, so that it is told of every error of writing back, whichever other descriptor was
/// told before (errseq in the kernel; https://man7.org/linux/man-pages/man2/fsync.2.html, "since Linux 4.13"). SQLite has
/// no locks on the log, which closing it would drop.
final class LogFile: Sendable {
  private let path: String
  private let descriptor: Int32

  /// - Parameter path: that of the log, which exists.
  init(path: String) throws(SQLiteError) {
    self.path = path
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw SQLiteError(extendedCode: SQLITE_CANTOPEN, message: "the log cannot be opened: \(Self.reason(errno))")
    }
  }

  deinit { close(descriptor) }

  /// Returns once all that was written to the log before is on disk, where a new start finds it; otherwise says why not.
  /// It is not to be tried again: what failed once would be reported as written the next time.
  func sync() -> String? {
    while fdatasync(descriptor) != 0 {
      if errno != EINTR { return "the log could not be synced: \(Self.reason(errno))" }
    }
    var (mine, named) = (stat(), stat())
    guard fstat(descriptor, &mine) == 0, stat(path, &named) == 0, mine.st_dev == named.st_dev,
      mine.st_ino == named.st_ino
    else { return "the write-ahead log \(path) was moved, replaced or removed while it was open: put it back first" }
    return nil
  }

  private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
}
