import CSQLite
import DocketStore
import DocketTestSupport
import Foundation
import Testing

@testable import DocketSQLite

@Suite("Compacting a database file")
struct DatabaseCompactionTests {
  /// A closed file of which most is free.
  private static func makeStore() async throws -> StoreFixture {
    let store = try StoreFixture(clock: nil)
    let session = try store.session()
    _ = try await session.change(
      TextWords.notes, to: CollectionSettings(text: [CollectionIndex.Key(name: "t").path]))
    let long = String(repeating: "x", count: 2_000)
    _ = try await session.writeAll(
      (1...500).map { .put("/many/", "\($0)", "\"\(long)\"") } + [.put("/notes/", "1", #"{"t": "one word"}"#)])
    await session.close()
    store.repository.close()
    let connection = try store.connect()
    try connection.execute(
      "DELETE FROM documents WHERE collection = '/many/'; DELETE FROM changes WHERE sequence < 1001")
    try connection.execute("DELETE FROM tombstones WHERE sequence < 1001")
    connection.close()
    return store
  }

  private static func contents(_ path: String) throws -> [String?] {
    // One that may write leaves no log behind.
    let connection = try Connection(path: path, access: .write)
    defer { connection.close() }
    return try [
      "SELECT group_concat(key || id || data || revision) FROM document_rows",
      "SELECT group_concat(sequence || kind || at || ifnull(before, '')) FROM changes",
      "SELECT group_concat(name || value) FROM properties", "SELECT group_concat(id || sequence) FROM tombstones",
      "PRAGMA application_id", "PRAGMA user_version", "PRAGMA auto_vacuum", "PRAGMA journal_mode",
      "SELECT rowid FROM \"/notes/ text\" WHERE \"/notes/ text\" MATCH 'word'",
    ].map { try connection.string($0) }
  }

  @Test("free pages go, and everything else stays as it was")
  func compact() async throws {
    let store = try await Self.makeStore()
    let before = try Self.contents(store.path)
    try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: store.path)
    let outcome = try DatabaseCompaction.run(path: store.path)
    #expect(outcome.bytesAfter < outcome.bytesBefore / 4)
    #expect(try Self.contents(store.path) == before)
    #expect(try Connection(path: store.path, access: .write).int64("PRAGMA freelist_count") == 0)
    #expect(try FileManager.default.attributesOfItem(atPath: store.path)[.posixPermissions] as? Int == 0o640)
    #expect(try FileManager.default.contentsOfDirectory(atPath: store.directory.path) == ["docket.db"])
    #expect(try DatabaseCheck.run(path: store.path).isSound)
    #expect(try DatabaseFile.open(store.path).path.hasSuffix("docket.db"))
  }

  @Test("what is in the log is in the new file, and a file without auto_vacuum gets it")
  func log() async throws {
    let store = try await Self.makeStore()
    let connection = try store.connect()
    try connection.execute("PRAGMA journal_mode = DELETE; PRAGMA auto_vacuum = NONE; VACUUM; PRAGMA journal_mode = WAL")
    try connection.execute("INSERT INTO documents(collection, id, data) VALUES ('/log/', '1', '1')")
    // As a process leaves it that is killed.
    connection.abandon()
    #expect(FileManager.default.fileExists(atPath: store.path + "-wal"))
    sqlite3_close_v2(connection.handle)
    _ = try DatabaseCompaction.run(path: store.path)
    let compact = try Connection(path: store.path, access: .read)
    #expect(try compact.int64("SELECT count(*) FROM documents WHERE collection = '/log/'") == 1)
    #expect(try compact.int64("PRAGMA auto_vacuum") == 2)
  }

  @Test("a file of a newer version is refused by its name, and left as it was")
  func newer() async throws {
    let store = try await Self.makeStore()
    let connection = try store.connect()
    try connection.execute("PRAGMA user_version = 99")
    connection.close()
    let path = try DatabasePath(resolving: store.path).file
    #expect(throws: CareError.opening(.newer(path: path, version: 99, supported: 6))) {
      try DatabaseCompaction.run(path: store.path)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: store.directory.path) == ["docket.db"])
  }

  @Test("it refuses while anybody has the file open, and then the file is as it was")
  func inUse() async throws {
    let store = try StoreFixture()
    let path = try DatabasePath(resolving: store.path).file
    #expect(throws: CareError.opening(.alreadyServed(path: path, process: getpid()))) {
      try DatabaseCompaction.run(path: store.path)
    }
    try store.closeAndCheck()
    let other = try store.connect()
    for statement in ["BEGIN; SELECT * FROM documents", "ROLLBACK; BEGIN IMMEDIATE", "ROLLBACK"] {
      try other.execute(statement)
      #expect(throws: CareError.opening(.inUse(path: path))) { try DatabaseCompaction.run(path: store.path) }
    }
    other.close()
    _ = try DatabaseCompaction.run(path: store.path)
  }

  @Test("stopped anywhere it leaves the file as it was, and nothing beside it; what a killed one left is removed")
  func stop() async throws {
    let store = try await Self.makeStore()
    let before = try Self.contents(store.path)
    try Data("left".utf8).write(to: URL(fileURLWithPath: store.path + ".replacement"))
    for step in ["writing the file anew", "reading pages", "checking changes"] {
      #expect(throws: CareError.stopped) { try DatabaseCompaction.run(path: store.path) { $0.step != step } }
      #expect(try Self.contents(store.path) == before)
      #expect(try FileManager.default.contentsOfDirectory(atPath: store.directory.path) == ["docket.db"])
    }
  }

  @Test("a journal that a killed change has left is in nobody's way", arguments: [UInt8(0), 1])
  func journal(_ byte: UInt8) async throws {
    let store = try await Self.makeStore()
    let connection = try store.connect()
    try connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    try Data(repeating: byte, count: 600).write(to: URL(fileURLWithPath: store.path + "-journal"))
    _ = try DatabaseCompaction.run(path: store.path)
    #expect(try FileManager.default.contentsOfDirectory(atPath: store.directory.path) == ["docket.db"])
    #expect(try DatabaseCheck.run(path: store.path).isSound)
  }

  @Test("without room on the disk nothing is begun")
  func room() async throws {
    let store = try await Self.makeStore()
    let database = try ExclusiveDatabase(store.path)
    let replacement = try ReplacementFile(of: database)
    #expect(throws: CareError.self) { try replacement.checkRoom(bytes: .max) }
    try replacement.checkRoom(bytes: 1)
  }

  @Test("who waits for the former file meets no documents there, and loses no write")
  func waiting() async throws {
    let store = try await Self.makeStore()
    let late = LateConnection(store.path)
    _ = try DatabaseCompaction.run(path: store.path) { progress in
      if progress.step == "checking changes" { late.open() }
      return true
    }
    #expect(throws: SQLiteError.self) {
      try late.connection?.execute("INSERT INTO documents(collection, id, data) VALUES ('/a/', '1', '1')")
    }
    late.connection?.close()
  }

  @Test("a hard link that somebody makes meanwhile keeps what the file held")
  func linked() async throws {
    let store = try await Self.makeStore()
    let kept = store.directory.file("keep.db")
    _ = try DatabaseCompaction.run(path: store.path) { progress in
      if progress.step == "checking changes" { link(store.path, kept) }
      return true
    }
    let (former, compact) = try (DatabaseCheck.run(path: kept), DatabaseCheck.run(path: store.path))
    #expect(former.isSound && former.documents == compact.documents && former.history == compact.history)
  }
}

private final class LateConnection {
  private let path: String
  private(set) var connection: Connection?

  init(_ path: String) { self.path = path }

  func open() { if connection == nil { connection = try? Connection(path: path, access: .write) } }
}
