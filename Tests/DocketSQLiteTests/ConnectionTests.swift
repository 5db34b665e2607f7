import CSQLite
import Foundation
import Testing

@testable import DocketSQLite

@Suite("Connection and statement")
struct ConnectionTests {
  @Test("Of the writer's transactions nothing goes to the log before the commit, however much they change")
  func noSpill() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("a.db")
    let setup = try Connection(path: path, access: .create)
    try setup.execute("PRAGMA journal_mode = WAL; CREATE TABLE t(x)")
    var options = SQLiteStoreOptions()
    options.cacheBytes = 64 << 10
    let writer = try ConnectionSetup.writer(path: path, options: options)
    func logBytes() throws -> Int {
      try FileManager.default.attributesOfItem(atPath: path + "-wal")[.size] as? Int ?? 0
    }
    let before = try logBytes()
    // Twenty times what the cache holds, and more than the log's layer gathers.
    try writer.execute(
      "BEGIN; WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 400) INSERT INTO t SELECT randomblob(4000) FROM n"
    )
    #expect(try logBytes() == before)
    try writer.execute("COMMIT")
    #expect(try logBytes() > before + 400 * 4000)
    #expect(try setup.int64("SELECT count(*) FROM t") == 400)
    writer.close()
    setup.close()
  }

  @Test("Values come back as they were bound")
  func roundTrip() throws {
    let directory = try TemporaryDirectory()
    let connection = try Connection(path: directory.file("a.db"), access: .create)
    try connection.execute("CREATE TABLE t(n INTEGER, x REAL, s TEXT, absent TEXT, e TEXT) STRICT")
    let insert = try connection.prepare("INSERT INTO t VALUES (?1, ?2, ?3, ?4, ?5)")
    for n in [Int64.min, 0, Int64.max] {
      let text = [UInt8]("né\u{0}\(n)".utf8)
      try text.withUnsafeBytes { text throws in
        insert.bind(n, at: 1)
        insert.bind(real: 0.5, at: 2)
        insert.bind(borrowing: text, at: 3)
        insert.bind(Int64?.none, at: 4)
        insert.bind(borrowing: UnsafeRawBufferPointer(start: nil, count: 0), at: 5)
        try insert.run()
      }
    }
    let select = try connection.prepare("SELECT n, x, s, absent, e, typeof(e) FROM t ORDER BY n")
    for n in [Int64.min, 0, Int64.max] {
      #expect(try select.step())
      #expect(select.int64(0) == n)
      #expect(Array(select.bytes(2)) == Array("né\u{0}\(n)".utf8))
      #expect(select.isNull(3))
      #expect(select.optionalInt64(3) == nil)
      #expect(select.bytes(4).isEmpty)
      #expect(select.string(5) == "text")
    }
    #expect(try !select.step())
  }

  @Test("An error carries its primary and extended code, its message and the statement")
  func errors() throws {
    let directory = try TemporaryDirectory()
    let connection = try Connection(path: directory.file("a.db"), access: .create)
    try connection.execute("CREATE TABLE t(n INTEGER PRIMARY KEY) STRICT; INSERT INTO t VALUES (1)")
    let insert = try connection.prepare("INSERT INTO t VALUES (?1)")
    insert.bind(1, at: 1)
    let error = #expect(throws: SQLiteError.self) { try insert.run() }
    #expect(error?.code == SQLITE_CONSTRAINT)
    #expect(error?.extendedCode == 1555)
    #expect(error?.message == "UNIQUE constraint failed: t.n")
    #expect(error?.sql == "INSERT INTO t VALUES (?1)")
    // The statement can be used again at once.
    insert.bind(2, at: 1)
    try insert.run()
    #expect(try connection.int64("SELECT count(*) FROM t") == 2)
  }

  @Test("A file that does not exist is opened only by who may create it")
  func access() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("a.db")
    let error = #expect(throws: SQLiteError.self) { try Connection(path: path, access: .write) }
    #expect(error?.code == SQLITE_CANTOPEN)
    let writer = try Connection(path: path, access: .create)
    try writer.execute("CREATE TABLE t(n INTEGER) STRICT")
    let reader = try Connection(path: path, access: .read)
    #expect(throws: SQLiteError.self) { try reader.execute("INSERT INTO t VALUES (1)") }
  }

  @Test("A connection that is closed leaves FTS5's own statements to FTS5, which ends them then")
  func closing() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("a.db")
    for round in 0..<20 {
      let connection = try Connection(path: path, access: .create)
      try connection.execute("CREATE VIRTUAL TABLE IF NOT EXISTS t USING fts5(x)")
      let insert = try connection.prepare("INSERT INTO t VALUES (?1)")
      insert.bind("word", at: 1)
      try insert.run()
      try connection.execute("INSERT INTO t VALUES ('other'); DELETE FROM t WHERE x = 'other'; UPDATE t SET x = 'word'")
      #expect(try connection.int64("SELECT count(*) FROM t WHERE t MATCH 'word'") == Int64(round + 1))
      // A statement that is in the midst of its rows is ended with it.
      let select = try connection.prepare("SELECT rank FROM t WHERE t MATCH 'word'")
      #expect(try select.step())
      connection.close()
    }
  }

  @Test("A text without a statement is refused")
  func emptyStatement() throws {
    let connection = try Connection(path: ":memory:", access: .create)
    #expect(throws: SQLiteError.self) { try connection.prepare("-- nothing") }
  }
}
