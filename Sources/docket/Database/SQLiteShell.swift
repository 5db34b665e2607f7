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

    try Program.replaceThisProcess(by: arguments(database: database, statement: statement), package: "sqlite3")
  }

  static func arguments(database: String, statement: String?) -> [String] {
    // The server's writer is the only one that checkpoints: https://sqlite.org/wal.html#ckpt. Pages stay in memory until
    // their commit, since before 3.50.2 a log that they were spilled to can lose commits (https://sqlite.org/src/info/5973f9b9aa828ec9).
    // The first pragma answers with a row, which is nobody's business.
    let settings = [
      ".timeout 5000", ".output /dev/null", "PRAGMA wal_autocheckpoint=0;", ".output stdout", "PRAGMA cache_spill=OFF;",
    ]
    // sqlite3 takes what begins with a dash for an option of its own, a comment of SQL as well as a file.
    let file = database.hasPrefix("-") ? "./\(database)" : database
    return ["sqlite3"] + settings.flatMap { ["-cmd", $0] } + [file]
      + (statement.map { ["\($0.hasPrefix("-") ? " " : "")\($0)"] } ?? [])
  }
}
