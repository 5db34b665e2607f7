import DocketSQLite
import Glibc

/// The `sqlite3` command, with the settings that suit a file that is being served.
enum SQLiteShell {
  /// Replaces this process by `sqlite3`, so that terminal, signals and exit status are its own.
  /// - Throws: `CommandFailure`, when there is no such file or no such command.
  static func run(database: String, statement: String?) throws(CommandFailure) {
    // sqlite3 would make a file that is not there, and say nothing.
    var status = stat()
    guard stat(database, &status) == 0 else {
      throw CommandFailure(
        "cannot open \(database): \(String(cString: strerror(errno))) (name the file with --database)")
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw CommandFailure("\(database) is not a file; name a database with --database")
    }

    guard access(database, R_OK) == 0 else {
      throw CommandFailure(
        "cannot open \(database): \(String(cString: strerror(errno))); run this as the user that runs docket")
    }
    let file = resolved(database)
    var log = stat()
    guard status.st_size > 0 || stat(file + "-wal", &log) != 0 || log.st_size == 0 else {
      throw CommandFailure(OpeningError.logWithoutDatabase(path: file).description)
    }
    let isFixed = try isFixed(file, named: database)
    try Program.replaceThisProcess(
      by: arguments(database: database, statement: statement, isFixed: isFixed), package: "sqlite3")
  }

  /// Whether nobody can write to a file while it is read: where this user may not make SQLite's log beside it and there is
  /// none (https://sqlite.org/wal.html, "Read-Only Databases").
  private static func isFixed(_ file: String, named database: String) throws(CommandFailure) -> Bool {
    let folder = String(file[...(file.lastIndex(of: "/") ?? file.startIndex)])
    guard access(file, W_OK) != 0 || access(folder, W_OK) != 0 else { return false }
    guard access(file + "-wal", F_OK) != 0 else {
      throw CommandFailure(
        "\(database) has a log beside it, and may not be written to: run this as the user that runs docket")
    }
    return true
  }

  private static func resolved(_ database: String) -> String {
    guard let resolved = realpath(database, nil) else { return database }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  static func arguments(database: String, statement: String?, isFixed: Bool = false) -> [String] {
    // The server's writer is the only one that checkpoints: https://sqlite.org/wal.html#ckpt. Pages stay in memory until
    // their commit, since before 3.50.2 a log that they were spilled to can lose commits (https://sqlite.org/src/info/5973f9b9aa828ec9).
    // The first pragma answers with a row, which is nobody's business.
    let settings = [
      ".timeout 5000", ".output /dev/null", "PRAGMA wal_autocheckpoint=0;", ".output stdout", "PRAGMA cache_spill=OFF;",
    ]
    // sqlite3 takes what begins with a dash for an option of its own, a comment of SQL as well as a file.
    let file = isFixed ? uri(database) : database.hasPrefix("-") ? "./\(database)" : database
    return ["sqlite3"] + settings.flatMap { ["-cmd", $0] } + [file]
      + (statement.map { ["\($0.hasPrefix("-") ? " " : "")\($0)"] } ?? [])
  }

  /// A name by which SQLite takes no locks and makes no files (https://sqlite.org/uri.html).
  private static func uri(_ path: String) -> String {
    let bytes = path.utf8.flatMap { byte -> [UInt8] in
      switch byte {
      case UInt8(ascii: "%"): Array("%25".utf8)
      case UInt8(ascii: "?"): Array("%3f".utf8)
      case UInt8(ascii: "#"): Array("%23".utf8)
      default: [byte]
      }
    }
    return "file:\(String(decoding: bytes, as: UTF8.self))?immutable=1"
  }
}
