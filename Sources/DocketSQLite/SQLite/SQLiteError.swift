import CSQLite

/// What SQLite said when it did not do what it was told (https://sqlite.org/rescode.html).
package struct SQLiteError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The result code with its refinement, such as `SQLITE_IOERR_FSYNC`.
  package let extendedCode: Int32
  /// SQLite's own words. They name tables and columns, never values.
  package let message: String
  /// The statement at fault, with its parameters unbound; nil where there was none.
  package let sql: String?

  package init(extendedCode: Int32, message: String, sql: String? = nil) {
    self.extendedCode = extendedCode
    self.message = message
    self.sql = sql
  }

  /// The result code without its refinement, such as `SQLITE_IOERR`.
  package var code: Int32 { extendedCode & 0xff }

  package var description: String {
    var text = "SQLite error \(extendedCode) (\(String(cString: sqlite3_errstr(extendedCode)))): \(message)"
    if let sql { text += " in \(sql.split(whereSeparator: \.isWhitespace).joined(separator: " "))" }
    return text
  }
}
