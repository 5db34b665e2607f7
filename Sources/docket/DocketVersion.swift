import DocketSQLite

/// What `docket --version` prints.
enum DocketVersion {
  static let current = "0.1.0"

  static let description = "docket \(current), SQLite \(SQLiteVersion.current)"
}
