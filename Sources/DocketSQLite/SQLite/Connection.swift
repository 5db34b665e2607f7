import CGlibc
import CSQLite

/// One connection to a database file, used by one thread at a time.
///
/// It is opened without SQLite's mutexes (https://sqlite.org/threadsafe.html, "multi-thread"), so whoever owns it
/// sees to it that no two threads are in it, or in a statement of it, at once.
package final class Connection {
  package enum Access: Sendable {
    /// Opens a file that exists, for reading only.
    case read
    /// Opens a file that exists.
    case write
    /// Opens a file, and makes an empty one where there is none.
    case create
  }

  /// Nobody asks SQLite how much memory it uses, and counting it takes a lock for each allocation. It can be told so only
  /// before it is first used.
  private static let withoutMemoryStatistics: Void = { _ = docket_config_memory_statistics(0) }()

  let handle: OpaquePointer
  /// Whether the handle is no longer to be used.
  private(set) var isClosed = false
  /// Whether the texts in the database are known to be UTF-8, so that their bytes can be had as they lie there.
  private(set) var keepsUTF8 = false
  /// Those that `prepare` made and that have not ended. SQLite's own list has those of FTS5 as well, which ends them itself.
  private var statements: Set<OpaquePointer> = []

  /// Opens a file and shuts the doors that a server does not need: extensions cannot be loaded, and SQL cannot
  /// corrupt the file on purpose (https://sqlite.org/c3ref/c_dbconfig_defensive.html).
  /// - Parameter fileSystem: the name of a layer that was registered with SQLite; nil for SQLite's own.
  package convenience init(path: String, access: Access, fileSystem: String? = nil) throws(SQLiteError) {
    let accessFlags =
      switch access {
      case .read: SQLITE_OPEN_READONLY
      case .write: SQLITE_OPEN_READWRITE
      case .create: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
      }
    try self.init(name: path, flags: accessFlags, fileSystem: fileSystem)
  }

  /// Opens a file that nobody can change, without locks and without files beside it
  /// (https://sqlite.org/uri.html, "immutable").
  /// - Parameter path: absolute.
  convenience init(immutable path: String) throws(SQLiteError) {
    try self.init(
      name: "file:\(Self.uriPath(path))?immutable=1", flags: SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, fileSystem: nil)
  }

  private static func uriPath(_ path: String) -> String {
    let bytes = path.utf8.flatMap { byte -> [UInt8] in
      switch byte {
      case UInt8(ascii: "%"): Array("%25".utf8)
      case UInt8(ascii: "?"): Array("%3f".utf8)
      case UInt8(ascii: "#"): Array("%23".utf8)
      default: [byte]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private init(name: String, flags: Int32, fileSystem: String?) throws(SQLiteError) {
    Self.withoutMemoryStatistics
    var opened: OpaquePointer?
    let code = sqlite3_open_v2(name, &opened, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, fileSystem)
    guard code == SQLITE_OK, let opened else {
      // Even a failed opening gives back a connection, which says what went wrong and has to be closed.
      let message = opened.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
      sqlite3_close_v2(opened)
      throw SQLiteError(extendedCode: code, message: message)
    }
    handle = opened
    if fileSystem != nil { LogGatheringVFS.attach(to: opened) }
    setDefensive(true)
    docket_db_config_switch(opened, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0)
  }

  /// Whether SQLite refuses what can damage the file (https://sqlite.org/c3ref/c_dbconfig_defensive.html).
  func setDefensive(_ isOn: Bool) { _ = docket_db_config_switch(handle, SQLITE_DBCONFIG_DEFENSIVE, isOn ? 1 : 0) }

  /// Has ``close()`` leave the log as it is, which the last connection of a file otherwise writes back and removes: what is
  /// refused is to stay as it was found (https://sqlite.org/c3ref/c_dbconfig_defensive.html).
  func leaveLog() { _ = docket_db_config_switch(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1) }

  deinit { close() }

  /// Closes the connection and ends its statements, which may not be used any more: the last connection of a file
  /// removes its log only if nothing holds it open (https://sqlite.org/c3ref/close.html).
  package func close() {
    guard !isClosed else { return }
    isClosed = true
    for statement in statements { sqlite3_finalize(statement) }
    statements = []
    sqlite3_close_v2(handle)
  }

  /// Looks how the database keeps its texts (https://sqlite.org/pragma.html#pragma_encoding).
  func noteEncoding() throws(SQLiteError) { keepsUTF8 = try string("PRAGMA encoding") == "UTF-8" }

  /// Leaves the files and their locks as they are until the process ends. After a failed commit nothing may touch
  /// them any more: closing would checkpoint, and a new start recovers what is there.
  func abandon() {
    isClosed = true
  }

  /// Lets go of pages that are in memory, and of the memory.
  func giveBackMemory() {
    sqlite3_db_release_memory(handle)
    malloc_trim(0)
  }

  /// Runs a script: any number of statements, whose rows are not looked at.
  package func execute(_ script: String) throws(SQLiteError) {
    let code = sqlite3_exec(handle, script, nil, nil, nil)
    guard code == SQLITE_OK else { throw error(code, sql: script) }
  }

  /// Compiles one statement.
  /// - Parameter persistent: it will be run many times (https://sqlite.org/c3ref/c_prepare_normalize.html).
  package func prepare(_ sql: String, persistent: Bool = true) throws(SQLiteError) -> Statement {
    var statement: OpaquePointer?
    let flags = persistent ? UInt32(SQLITE_PREPARE_PERSISTENT) : 0
    let code = sqlite3_prepare_v3(handle, sql, -1, flags, &statement, nil)
    guard code == SQLITE_OK else { throw error(code, sql: sql) }
    guard let statement else {
      throw SQLiteError(extendedCode: SQLITE_MISUSE, message: "there is no statement in the text", sql: sql)
    }
    statements.insert(statement)
    return Statement(handle: statement, connection: self)
  }

  /// Ends a statement; one of a connection that was closed has ended.
  func finalize(_ statement: OpaquePointer) {
    if statements.remove(statement) != nil { sqlite3_finalize(statement) }
  }

  /// The first column of the first row of a query, as an integer; nil if there is no row or it is NULL.
  package func int64(_ sql: String) throws(SQLiteError) -> Int64? {
    let statement = try prepare(sql, persistent: false)
    guard try statement.step(), !statement.isNull(0) else { return nil }
    return statement.int64(0)
  }

  /// The first column of the first row of a query, as text; nil if there is no row or it is NULL.
  package func string(_ sql: String) throws(SQLiteError) -> String? {
    let statement = try prepare(sql, persistent: false)
    guard try statement.step(), !statement.isNull(0) else { return nil }
    return statement.string(0)
  }

  /// The length of a text in bytes, from the row's header, where it stands; `length()` would read the whole text.
  /// - Parameter row: the rowid.
  /// - Returns: nil where there is no such row, or no text in it.
  func textBytes(table: String, column: String, row: Int64) throws(SQLiteError) -> Int? {
    var blob: OpaquePointer?
    defer { sqlite3_blob_close(blob) }
    let code = sqlite3_blob_open(handle, "main", table, column, row, 0, &blob)
    if code == SQLITE_OK { return Int(sqlite3_blob_bytes(blob)) }
    // https://sqlite.org/c3ref/blob_open.html
    if code == SQLITE_ERROR { return nil }
    throw error(code, sql: nil)
  }

  /// The key of the row that was inserted last (https://sqlite.org/c3ref/last_insert_rowid.html).
  var lastInsertedKey: Int64 { sqlite3_last_insert_rowid(handle) }

  /// Throws where the latest INSERT, UPDATE or DELETE has changed no row (https://sqlite.org/c3ref/changes.html), though there was one
  /// for it: a trigger of an operator's may leave rows as they are and say nothing.
  func checkRowsChanged() throws(SQLiteError) {
    guard sqlite3_changes(handle) > 0 else {
      throw SQLiteError(extendedCode: SQLITE_CONSTRAINT, message: "a trigger says RAISE(IGNORE)")
    }
  }

  /// Whether a transaction is open.
  package var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

  /// How long a statement waits for another connection's lock before it fails with `SQLITE_BUSY`.
  package func setBusyTimeout(milliseconds: Int32) {
    sqlite3_busy_timeout(handle, milliseconds)
  }

  func error(_ code: Int32, sql: String?) -> SQLiteError {
    SQLiteError(extendedCode: code, message: String(cString: sqlite3_errmsg(handle)), sql: sql)
  }
}
