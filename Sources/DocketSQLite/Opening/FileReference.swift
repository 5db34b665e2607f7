import Glibc

/// A file that is held by its name alone: it can be looked at, and nothing of it is opened.
///
/// Closing a descriptor of a database drops all locks that this process has on it, those of SQLite among them
/// (https://sqlite.org/howtocorrupt.html, 2.2), and opening a pipe waits. Neither is so here (open(2), O_PATH).
final class FileReference {
  private let descriptor: Int32

  /// Linux's O_PATH, which Swift does not import.
  private static let pathOnly: Int32 = 0o10000000

  /// Nil: there is no such file, or `errno` says why not. A symbolic link is not followed.
  init?(_ path: String) {
    descriptor = Glibc.open(path, Self.pathOnly | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// What the system says of it now; nil: it says nothing, and `errno` why.
  var status: stat? {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? status : nil
  }

  /// Whether no name leads to it any more, so that it is gone once nobody has it open.
  var isNameless: Bool { status?.st_nlink == 0 }

  /// Whether it is a database, or one of the files beside it, under whatever name.
  func isPart(of database: String) -> Bool {
    guard let status else { return false }
    return ([""] + DatabaseBelongings.suffixes).contains { suffix in
      var own = stat()
      return stat(database + suffix, &own) == 0 && own.st_dev == status.st_dev && own.st_ino == status.st_ino
    }
  }

  /// Opens this very file, whatever has its name by now.
  /// - Returns: a descriptor, or -1 with `errno`.
  func open(_ flags: Int32) -> Int32 { Glibc.open("/proc/self/fd/\(descriptor)", flags | O_CLOEXEC) }
}
