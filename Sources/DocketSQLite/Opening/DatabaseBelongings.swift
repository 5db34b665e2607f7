import DocketStore
import Glibc

/// The files that belong to a database, by their names: SQLite's own (https://sqlite.org/tempfiles.html), the lock of its server,
/// and what is to take its place.
package enum DatabaseBelongings {
  static let lockSuffix = ".lock"
  /// Of a file that is to take the database's place, and of what a command that was killed has left of it.
  static let replacementSuffix = ".replacement"
  static let suffixes = BackupName.companionSuffixes + [lockSuffix, replacementSuffix]

  /// Whether a file is a database or belongs to one, and so must not give way to anything else. It is opened to see that, which
  /// costs a process that has the database open its locks (https://sqlite.org/howtocorrupt.html, section 2.2): only for those that have not.
  package static func contain(_ path: String) -> Bool {
    isDatabase(path)
      || suffixes.contains { path.hasSuffix($0) && isDatabase(String(path.dropLast($0.count))) }
  }

  /// By what such a file begins with (https://sqlite.org/fileformat.html, section 1.3).
  private static func isDatabase(_ path: String) -> Bool {
    guard let file = fopen(path, "re") else { return false }
    defer { fclose(file) }
    let mark = Array("SQLite format 3\0".utf8)
    var beginning = [UInt8](repeating: 0, count: mark.count)
    return fread(&beginning, 1, mark.count, file) == mark.count && beginning == mark
  }
}
