import CSQLite

/// The SQLite library that this process runs on, which need not be the one it was compiled with.
public enum SQLiteVersion {
  /// For instance `3.40.1`. Source: https://sqlite.org/c3ref/libversion.html
  public static var current: String { String(cString: sqlite3_libversion()) }
}
