import CSQLite

/// The SQLite library that this process runs on, which need not be the one it was compiled with.
public enum SQLiteVersion {
  /// For instance `3.40.1`. Source: https://sqlite.org/c3ref/libversion.html
  public static var current: String { String(cString: sqlite3_libversion()) }

  /// Whether two connections that write the log back and commit at one instant can damage it: so up to 3.51.2
  /// (https://sqlite.org/wal.html, "The WAL-reset bug").
  public static var mustNotShareCheckpoints: Bool { sqlite3_libversion_number() <= 3_051_002 }
}
