import CSQLite

/// A compiled statement. It is prepared once and run many times, and no call of it allocates.
///
/// Parameters count from 1 and columns from 0, as in SQLite. It is used by the thread that has its connection.
package final class Statement {
  private let handle: OpaquePointer
  private let connection: Connection
  /// The parameters for whose values there was no memory: it does not run until they are bound.
  private var unbound: [Int32] = []

  init(handle: OpaquePointer, connection: Connection) {
    self.handle = handle
    self.connection = connection
  }

  deinit { connection.finalize(handle) }

  package var sql: String { String(cString: sqlite3_sql(handle)) }

  /// How many steps of SQLite's virtual machine its runs have taken (https://sqlite.org/c3ref/c_stmtstatus_counter.html).
  var stepsTaken: Int { Int(sqlite3_stmt_status(handle, SQLITE_STMTSTATUS_VM_STEP, 0)) }

  // MARK: Parameters

  package func bind(_ value: Int64, at parameter: Int32) {
    bound(sqlite3_bind_int64(handle, parameter, value), parameter)
  }

  package func bind(real value: Double, at parameter: Int32) {
    bound(sqlite3_bind_double(handle, parameter, value), parameter)
  }

  package func bindNull(at parameter: Int32) {
    bound(sqlite3_bind_null(handle, parameter), parameter)
  }

  package func bind(_ value: Int64?, at parameter: Int32) {
    if let value { bind(value, at: parameter) } else { bindNull(at: parameter) }
  }

  /// Binds text without copying it.
  /// - Parameter text: UTF-8 that must stay where it is until the statement is reset.
  package func bind(borrowing text: UnsafeRawBufferPointer, at parameter: Int32) {
    // A null pointer would bind NULL, and an empty buffer may have one.
    guard let start = text.baseAddress else {
      return bound(docket_bind_text_transient(handle, parameter, "", 0), parameter)
    }
    bound(
      docket_bind_text_static(handle, parameter, start.assumingMemoryBound(to: CChar.self), Int32(text.count)),
      parameter)
  }

  /// Binds a copy of a text.
  /// - Parameter text: UTF-8.
  package func bind(copying text: UnsafeRawBufferPointer, at parameter: Int32) {
    // A null pointer would bind NULL, and an empty buffer may have one.
    guard let start = text.baseAddress, !text.isEmpty else {
      return bound(docket_bind_text_transient(handle, parameter, "", 0), parameter)
    }
    bound(
      docket_bind_text_transient(handle, parameter, start.assumingMemoryBound(to: CChar.self), Int32(text.count)),
      parameter)
  }

  /// Binds a copy of a text.
  package func bind(_ text: String, at parameter: Int32) {
    var text = text
    text.withUTF8 { utf8 in
      utf8.withMemoryRebound(to: CChar.self) { characters in
        bound(
          docket_bind_text_transient(handle, parameter, characters.baseAddress, Int32(characters.count)), parameter)
      }
    }
  }

  private func bound(_ code: Int32, _ parameter: Int32) {
    if code == SQLITE_OK {
      if !unbound.isEmpty { unbound.removeAll { $0 == parameter } }
      return
    }
    precondition(
      code == SQLITE_NOMEM,
      "every parameter is within the statement, which is reset, and below SQLite's limit of length")
    unbound.append(parameter)
  }

  // MARK: Running

  /// Goes on to the next row. Returns whether there is one.
  package func step() throws(SQLiteError) -> Bool {
    guard unbound.isEmpty else {
      throw SQLiteError(extendedCode: SQLITE_NOMEM, message: "there is no memory for a parameter", sql: sql)
    }
    let code = sqlite3_step(handle)
    if code == SQLITE_ROW { return true }
    if code == SQLITE_DONE { return false }
    // The error is read before the reset, which would keep its code but not always its message.
    let error = connection.error(code, sql: sql)
    sqlite3_reset(handle)
    throw error
  }

  /// Runs a statement to its end, ignoring its rows, and resets it.
  package func run() throws(SQLiteError) {
    while try step() {}
    reset()
  }

  /// Makes the statement ready to be bound and run again; it lets go of its locks and of the row's memory.
  package func reset() {
    // The result repeats the error of the last step, which has been thrown already.
    sqlite3_reset(handle)
  }

  // MARK: The row

  package func isNull(_ column: Int32) -> Bool {
    sqlite3_column_type(handle, column) == SQLITE_NULL
  }

  package func int64(_ column: Int32) -> Int64 {
    sqlite3_column_int64(handle, column)
  }

  package func real(_ column: Int32) -> Double {
    sqlite3_column_double(handle, column)
  }

  package func optionalInt64(_ column: Int32) -> Int64? {
    isNull(column) ? nil : int64(column)
  }

  /// The bytes of a text or BLOB; they are valid until the statement is stepped or reset.
  package func bytes(_ column: Int32) -> UnsafeRawBufferPointer {
    // As text it would get a NUL behind it. For that a large one needs memory, and without it looks like NULL.
    if connection.keepsUTF8 { return blob(column) }
    // The order matters: the length is that of the form which the pointer asked for.
    let start = sqlite3_column_text(handle, column)
    return UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : Int(sqlite3_column_bytes(handle, column)))
  }

  /// The bytes of a BLOB, which are not converted to text; they are valid until the statement is stepped or reset.
  package func blob(_ column: Int32) -> UnsafeRawBufferPointer {
    let start = sqlite3_column_blob(handle, column)
    return UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : Int(sqlite3_column_bytes(handle, column)))
  }

  /// A copy of a text; bytes that are not UTF-8 become U+FFFD.
  package func string(_ column: Int32) -> String {
    String(decoding: bytes(column), as: UTF8.self)
  }
}
