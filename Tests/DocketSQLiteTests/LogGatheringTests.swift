import CSQLite
import DocketTestSupport
import Foundation
import Testing

@testable import DocketSQLite

@Suite("The log, gathered", .serialized)
struct LogGatheringTests {
  private static let isRegistered = LogGatheringVFS.register(as: "docket-gathering-faulty", over: FaultyVFS.layer)

  private func open(_ path: String) throws -> Connection {
    _ = try Connection(path: path, access: .create)
    #expect(Self.isRegistered)
    let connection = try Connection(path: path, access: .write, fileSystem: "docket-gathering-faulty")
    try connection.execute(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = 20")
    return connection
  }

  /// What a process finds that opens the files as they are now, as after a crash.
  private func survivors(_ path: String, _ query: String) throws -> String? {
    let directory = try TemporaryDirectory()
    let copy = directory.file("copy.db")
    for suffix in ["", "-wal"] { try FileManager.default.copyItem(atPath: path + suffix, toPath: copy + suffix) }
    let connection = try Connection(path: copy, access: .write)
    defer { connection.close() }
    #expect(try connection.string("PRAGMA integrity_check") == "ok")
    return try connection.string(query)
  }

  @Test("A commit of many pages is a few writes, and other connections see it at once")
  func fewWrites() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("a.db")
    let connection = try open(path)
    try connection.execute("PRAGMA cache_size = 2000; CREATE TABLE t(x)")
    FaultyVFS.writes = 0
    try connection.execute(
      "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 150) INSERT INTO t SELECT randomblob(4000) FROM n"
    )
    #expect(FaultyVFS.writes < 10, "150 pages would be 300 writes")
    let reader = try Connection(path: path, access: .read)
    #expect(try reader.int64("SELECT count(*) FROM t") == 150)
    #expect(try survivors(path, "SELECT count(*) FROM t") == "150")
    reader.close()
    connection.close()
  }

  @Test("Random transactions that go back to savepoints, roll back and checkpoint leave what they should")
  func random() throws {
    var generator = SeededGenerator.forTest(named: "the gathered log")
    let directory = try TemporaryDirectory()
    let path = directory.file("a.db")
    let gathered = try open(path)
    // As the writer's connection has it: with spilled pages even SQLite's own layer fails here now and then.
    try gathered.execute("PRAGMA cache_spill = OFF")
    let plain = try Connection(path: directory.file("b.db"), access: .create)
    for connection in [gathered, plain] { try connection.execute("CREATE TABLE t(k INTEGER PRIMARY KEY, v TEXT)") }
    func both(_ sql: String) throws {
      try gathered.execute(sql)
      try plain.execute(sql)
    }
    func some() -> String {
      let first = Int.random(in: 1...60, using: &generator)
      let length = Int.random(in: 1...6_000, using: &generator)
      let last = first + Int.random(in: 0...30, using: &generator)
      return """
        WITH RECURSIVE n(i) AS (VALUES (\(first)) UNION ALL SELECT i + 1 FROM n WHERE i < \(last))
        INSERT OR REPLACE INTO t SELECT i, printf('%.*c', \(length), char(65 + (i + \(length)) % 26)) FROM n
        """
    }
    for step in 0..<150 {
      try both("BEGIN")
      try both(some())
      if Bool.random(using: &generator) {
        try both("SAVEPOINT s")
        try both(some())
        try both(Bool.random(using: &generator) ? "ROLLBACK TO s" : "RELEASE s")
        try both(some())
      }
      try both(Int.random(in: 0..<4, using: &generator) == 0 ? "ROLLBACK" : "COMMIT")
      if step % 40 == 39 { try gathered.execute("PRAGMA wal_checkpoint(TRUNCATE)") }
      if step % 10 == 0 {
        let query = "SELECT group_concat(k || v) FROM (SELECT * FROM t ORDER BY k)"
        let expected = try plain.string(query)
        #expect(try gathered.string(query) == expected)
        #expect(try survivors(path, query) == expected, "step \(step)")
      }
    }
    gathered.close()
    plain.close()
  }

  @Test("What each commit wrote is in the log when others are told of it, whoever else commits and checkpoints between")
  func besideOthers() throws {
    var generator = SeededGenerator.forTest(named: "the gathered log beside others")
    let directory = try TemporaryDirectory()
    let path = directory.file("a.db")
    let gathered = try open(path)
    let other = try Connection(path: path, access: .write)
    try gathered.execute("CREATE TABLE t(k INTEGER PRIMARY KEY, v TEXT)")
    var expected: [Int: Int] = [:]
    func check(_ step: Int) throws {
      let reader = try Connection(path: path, access: .read)
      defer { reader.close() }
      let found = try reader.string("SELECT group_concat(k || ' ' || v) FROM (SELECT * FROM t ORDER BY k)")
      let wanted = expected.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ",")
      #expect(found ?? "" == wanted, "step \(step)")
    }
    for step in 0..<400 {
      let key = Int.random(in: 0..<40, using: &generator)
      switch Int.random(in: 0..<10, using: &generator) {
      case 0..<4:
        // Mostly a commit of one page.
        try gathered.execute("INSERT OR REPLACE INTO t VALUES (\(key), \(step))")
        expected[key] = step
      case 4, 5:
        try other.execute("INSERT OR REPLACE INTO t VALUES (\(key), \(step))")
        expected[key] = step
      case 6:
        try other.execute("PRAGMA wal_checkpoint(RESTART)")
      case 7:
        // More than the cache holds, so that part of it goes to the log before it is undone.
        try gathered.execute(
          """
          BEGIN; CREATE TABLE large AS WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 60)
          SELECT randomblob(4000) FROM n; ROLLBACK
          """)
      case 8:
        try gathered.execute("BEGIN; DELETE FROM t WHERE k = \(key); COMMIT")
        expected[key] = nil
      default:
        try gathered.execute("PRAGMA wal_checkpoint(PASSIVE)")
      }
      try check(step)
    }
    #expect(try other.string("PRAGMA integrity_check") == "ok")
    other.close()
    gathered.close()
    let after = try Connection(path: path, access: .write)
    #expect(try after.string("PRAGMA integrity_check") == "ok")
    after.close()
  }

  @Test("A commit that the disk has no room for is undone, is not there after a crash, and later ones go well")
  func full() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("a.db")
    let connection = try open(path)
    try connection.execute("CREATE TABLE t(x); INSERT INTO t VALUES ('first')")
    // The commit of the second is large enough for several writes, the first of which succeed.
    for left in [0, 1, 2] {
      FaultyVFS.writesLeft = left
      defer { FaultyVFS.writesLeft = nil }
      let error = #expect(throws: SQLiteError.self) {
        try connection.execute(
          "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 100) INSERT INTO t SELECT hex(randomblob(2000)) FROM n"
        )
      }
      #expect(error?.code == SQLITE_FULL)
      #expect(try connection.int64("SELECT count(*) FROM t") == 1)
      FaultyVFS.writesLeft = nil
      // A checkpoint syncs the log, so that whatever is still to be written comes to light.
      try connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
      #expect(try survivors(path, "SELECT count(*) FROM t") == "1")
    }
    try connection.execute("INSERT INTO t VALUES ('second')")
    #expect(try survivors(path, "SELECT group_concat(x) FROM t") == "first,second")
    connection.close()
    let after = try Connection(path: path, access: .read)
    #expect(try after.string("SELECT group_concat(x) FROM t") == "first,second")
    after.close()
  }
}
