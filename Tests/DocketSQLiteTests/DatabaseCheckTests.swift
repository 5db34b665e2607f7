import DocketStore
import DocketTestSupport
import Foundation
import Migrations
import NIOCore
import Testing

@testable import DocketSQLite

@Suite("The check of a database file")
struct DatabaseCheckTests {
  typealias Kind = DatabaseCheck.Finding.Kind

  /// A closed file: `/notes/` with an index, something unique and texts; changes 1 to 9, of which 7 to 8 are a batch; `/a/gone`
  /// has a tombstone.
  private static func makeStore() async throws -> StoreFixture {
    let store = try StoreFixture(clock: nil)
    let session = try store.session()
    var settings = CollectionSettings(
      indexes: [CollectionIndex([CollectionIndex.Key(name: "n")])],
      unique: [CollectionIndex([CollectionIndex.Key(name: "mail")])])
    settings.text = [CollectionIndex.Key(name: "title").path]
    _ = try await session.change(CollectionPath(unchecked: "/notes/"), to: settings)
    _ = try await session.writeAll([
      .put("/notes/", "1", #"{"n": 1, "mail": "x", "title": "one word"}"#),
      .put("/notes/", "2", #"{"n": 2, "mail": "y", "title": "two words"}"#),
      .put("/a/", "gone", "1"), .delete("/a/", "gone"), .put("/a/", "kept", "1"), .put("/a/", "kept", "2"),
    ])
    let batch = Transaction<Int>(
      .batch, bytes: 0, key: IdempotencyKey(name: "k", fingerprint: 1)
    ) { documents in
      documents.submit(.put("/b/", "1", "1")) { _ in }
      documents.submit(.put("/b/", "2", "1")) { _ in }
      return TransactionResult(0, keepsWrites: true, kept: ByteBuffer(string: #"{"code": 200}"#))
    }
    _ = try await session.transact(batch)
    _ = try await session.put("/a/", "last", "1")
    await session.close()
    try store.closeAndCheck()
    return store
  }

  @Test("a sound file has no findings, and what it holds is counted")
  func sound() async throws {
    let store = try await Self.makeStore()
    let report = try DatabaseCheck.run(path: store.path)
    #expect(report.findings == [])
    #expect(report.isSound && report.version == 6)
    #expect(report.documents == 6 && report.changes == 9 && report.oldestChange == 1 && report.newestChange == 9)
    #expect(try report.history == store.connect().string("SELECT value FROM properties WHERE name = 'history_id'"))
  }

  struct Plant: Sendable, CustomTestStringConvertible {
    let sql: String
    let kind: Kind
    let text: String

    init(_ sql: String, _ kind: Kind, _ text: String) {
      self.sql = sql
      self.kind = kind
      self.text = text
    }

    var testDescription: String { sql }
  }

  static let plants: [Plant] = [
    Plant("PRAGMA application_id = 0", .marks, "application_id is 0"),
    Plant("PRAGMA user_version = 0", .marks, "user_version 0"),
    Plant("DELETE FROM properties WHERE name = 'history_id'", .marks, "history_id is missing"),
    Plant("UPDATE properties SET value = 'ABC' WHERE name = 'history_id'", .marks, "'ABC'"),
    Plant("INSERT INTO migrations VALUES (9, 'x', 'y', 0)", .marks, "migration 9"),
    Plant("UPDATE migrations SET checksum = 'y' WHERE version = 2", .schema, "migration 2"),
    Plant(
      "INSERT INTO tokens VALUES ('a', 'ci', 'not json', printf('%064d', 1), 1, NULL, NULL)", .token,
      "token a ('ci'): what it allows cannot be read"),
    Plant(
      "INSERT INTO tokens VALUES ('a', 'ci', '[\"admin\"]', 'zz', 1, NULL, NULL)", .token,
      "token a ('ci'): its digest is no 64"),
    Plant(
      """
      INSERT INTO tokens VALUES ('a', 'ci', '["admin"]', printf('%064d', 1), 1, NULL, 1);
      DROP TRIGGER token_changes_update; UPDATE token_changes SET number = 0;
      """, .token, "there has never been a token, and tokens has some"),
    Plant("DROP TRIGGER token_changes_delete; DELETE FROM token_changes", .token, "token_changes has 0 rows"),
    Plant("DROP TRIGGER documents_move", .schema, "trigger documents_move is missing"),
    Plant("DROP INDEX expiries", .schema, "index expiries is missing"),
    Plant("DELETE FROM document", .schema, "table document"),
    Plant(
      "PRAGMA ignore_check_constraints = ON; UPDATE changes SET kind = 'x' WHERE sequence = 3", .pages,
      "CHECK constraint failed in changes"),
    Plant(
      "INSERT INTO collections VALUES ('notes', '{}')", .settings, "settings of 'notes': the collection is not like"),
    Plant("INSERT INTO collections VALUES ('/x/', '{')", .settings, "settings of /x/: they are no JSON"),
    Plant("INSERT INTO collections VALUES ('/x/', '[]')", .settings, "settings of /x/: they are no JSON object"),
    Plant("INSERT INTO collections VALUES ('/x/', '{\"expire\": -1}')", .settings, "expire cannot be read"),
    Plant("INSERT INTO collections VALUES ('/x/', '{\"indexes\": [[\"a\"]]}')", .index, "/x/ [\"a\"]"),
    Plant("DROP INDEX \"/notes/ [\"\"n\"\"]\"", .index, "is missing"),
    Plant("DROP TRIGGER \"/notes/ text update\"", .index, "/notes/ text update of the settings of /notes/ is missing"),
    Plant("DELETE FROM collections", .index, "is left over"),
    Plant("INSERT INTO \"/notes/ text_content\" VALUES (99, 'left')", .text, "key 99"),
    Plant("UPDATE \"/notes/ text_content\" SET c0 = 'other' WHERE id = 1", .text, "/notes/1"),
    Plant("DELETE FROM \"/notes/ text_content\" WHERE id = 1", .text, "/notes/1"),
    Plant("DELETE FROM \"/notes/ text_docsize\" WHERE id = 1", .text, "words"),
    Plant(
      "UPDATE document_rows SET data = json_set(data, '$.mail', 'x') WHERE id = '2' AND collection = '/notes/'",
      .unique,
      "/notes/1 and /notes/2 have the same mail"),
    Plant("UPDATE document_rows SET data = '{' WHERE id = 'kept'", .data, "/a/kept"),
    Plant(
      "UPDATE document_rows SET data = printf('%.*c', 129, '[') || printf('%.*c', 129, ']') WHERE id = 'kept'", .data,
      "/a/kept"),
    Plant("UPDATE document_rows SET data = CAST(x'22ff22' AS TEXT) WHERE id = 'kept'", .data, "/a/kept"),
    Plant("UPDATE document_rows SET id = 'a/b' WHERE id = 'kept'", .path, "the id holds a slash"),
    Plant("UPDATE document_rows SET id = '..' WHERE id = 'kept'", .path, "the id is empty, . or .."),
    Plant("UPDATE document_rows SET id = 'a' || char(10) || 'b' WHERE id = 'kept'", .path, "'/a/a\\u{a}b'"),
    Plant("UPDATE document_rows SET id = CAST(x'ff' AS TEXT) WHERE id = 'kept'", .path, "is not UTF-8"),
    Plant("UPDATE document_rows SET collection = '/_a/' WHERE id = 'kept'", .path, "begins with /_"),
    Plant("UPDATE document_rows SET collection = '/a//b/' WHERE id = 'kept'", .path, "a segment of the collection"),
    Plant("UPDATE document_rows SET collection = 'a' WHERE id = 'kept'", .path, "not like /notes/"),
    Plant(
      "UPDATE document_rows SET id = printf('%.*c', 1022, 'x') WHERE id = 'kept'", .path, "longer than 1,024 bytes"),
    Plant("UPDATE changes SET id = '' WHERE sequence = 9", .path, "change 9"),
    Plant("UPDATE tombstones SET id = ''", .path, "tombstone of '/a/'"),
    Plant("UPDATE document_rows SET revision = 99 WHERE id = 'kept'", .revision, "there is no change 99"),
    Plant(
      "UPDATE document_rows SET revision = 9 WHERE id = 'kept'", .revision, "change 9, its revision, is of another"),
    Plant("UPDATE document_rows SET created_at = 5 WHERE id = 'kept'", .revision, "created_at"),
    Plant("UPDATE document_rows SET updated_at = 5 WHERE id = 'kept'", .revision, "updated_at"),
    Plant("UPDATE document_rows SET id = 'gone', revision = 4 WHERE id = 'kept'", .revision, "is of the kind deleted"),
    Plant("INSERT INTO tombstones VALUES ('/a/', 'kept', 6)", .tombstone, "/a/kept: is a document and has a tombstone"),
    Plant("UPDATE tombstones SET sequence = 99", .tombstone, "change 99, which is not there"),
    Plant("UPDATE tombstones SET sequence = 0", .tombstone, "change 0, which is no longer kept"),
    Plant("UPDATE tombstones SET sequence = 3", .tombstone, "of the kind created"),
    Plant(
      "UPDATE tombstones SET id = 'other'", .tombstone, "/a/other: its tombstone leads to change 4, which is of another"
    ),
    Plant("DELETE FROM tombstones", .chain, "change 4 of /a/gone is in no chain"),
    Plant("DELETE FROM document_rows WHERE id = 'kept'", .chain, "change 6 of /a/kept is in no chain"),
    Plant("UPDATE document_rows SET revision = 5 WHERE id = 'kept'", .chain, "change 6 of /a/kept is in no chain"),
    Plant(
      "UPDATE changes SET previous = NULL WHERE sequence = 6", .chain, "change 6 of /a/kept leads to no earlier one"),
    Plant(
      "UPDATE changes SET previous = 6 WHERE sequence = 6", .chain, "leads to change 6, which is not an earlier one"),
    Plant("UPDATE changes SET previous = 1 WHERE sequence = 6", .chain, "change 1, which is of another document"),
    Plant("UPDATE changes SET previous = 3 WHERE sequence = 6", .chain, "change 3, which is of another document"),
    Plant("UPDATE changes SET kind = 'created' WHERE sequence = 6", .chain, "tells of a document before it"),
    Plant(
      "UPDATE changes SET before = NULL WHERE sequence = 6", .chain, "does not tell what the document was before it"),
    Plant("UPDATE changes SET before_updated_at = NULL WHERE sequence = 6", .chain, "does not tell what"),
    Plant("UPDATE changes SET before_updated_at = 5 WHERE sequence = 6", .chain, "times before it"),
    Plant("UPDATE changes SET before_created_at = 5 WHERE sequence = 6", .chain, "times before it"),
    Plant(
      "UPDATE changes SET previous = 2, collection = '/notes/', id = '2' WHERE sequence IN (5); DELETE FROM tombstones",
      .chain,
      "is of the kind created, behind change 2 of the kind created"),
    Plant("DELETE FROM changes WHERE sequence = 5", .sequence, "changes 5 to 5 are missing"),
    Plant(
      "DELETE FROM changes WHERE sequence = 5", .chain, "change 6 of /a/kept leads to change 5, which is not there"),
    Plant("DELETE FROM changes", .sequence, "there are documents, but no changes"),
    Plant("UPDATE changes SET at = at - 100000 WHERE sequence = 5", .time, "change 5 is dated before change 4"),
    Plant("UPDATE changes SET batch = NULL WHERE sequence = 7", .batch, "change 8 is of batch 7"),
    Plant("UPDATE changes SET batch = 8 WHERE sequence = 7", .batch, "change 7 is of batch 8"),
    Plant(
      "UPDATE changes SET batch = 7 WHERE sequence = 9; UPDATE changes SET batch = NULL WHERE sequence = 8", .batch,
      "change 9"),
    Plant("UPDATE kept_answers SET answer = '{'", .answer, "is not JSON"),
    Plant("UPDATE kept_answers SET bytes_so_far = 1", .answer, "bytes_so_far"),
    Plant("UPDATE kept_answers SET key = ''", .answer, "has no key"),
    Plant("UPDATE changes SET before = '{' WHERE sequence = 6", .version, "/a/kept as it was before change 6"),
    Plant("CREATE TABLE mine(x)", .foreign, "table mine"),
    Plant("CREATE TRIGGER audit AFTER INSERT ON changes BEGIN SELECT 1; END", .foreign, "trigger audit"),
    Plant("PRAGMA auto_vacuum = NONE; VACUUM", .upkeep, "auto_vacuum"),
    Plant("DELETE FROM migrations WHERE version = 5", .upkeep, "migration 5"),
    Plant("UPDATE properties SET value = '3.0' WHERE name = 'sqlite_version'", .upkeep, "SQLite 3.0"),
  ]

  @Test("what was planted past the door is found and named", arguments: plants)
  func planted(_ plant: Plant) async throws {
    let store = try await Self.makeStore()
    let connection = try Connection(path: store.path, access: .write)
    connection.setDefensive(false)
    try connection.execute(plant.sql)
    connection.close()
    let report = try DatabaseCheck.run(path: store.path)
    #expect(
      report.findings.contains { $0.kind == plant.kind && $0.text.contains(plant.text) },
      "\(report.findings)")
    #expect(report.isSound == !plant.kind.isFault, "\(report.findings)")
  }

  /// Columns with numbers that are added to, subtracted from, or shifted somewhere.
  static let numbers: [(table: String, column: String, only: String)] = [
    ("document_rows", "key", "id = 'kept'"), ("document_rows", "revision", "id = 'kept'"),
    ("document_rows", "created_at", "id = 'kept'"), ("document_rows", "updated_at", "id = 'kept'"),
    ("document_rows", "expires_at", "id = 'kept'"), ("changes", "sequence", "sequence = 9"),
    ("changes", "sequence", "sequence = 1"), ("changes", "sequence", "sequence = 5"),
    ("changes", "previous", "sequence = 6"), ("changes", "at", "sequence = 9"), ("changes", "at", "sequence = 1"),
    ("changes", "batch", "sequence = 7"), ("changes", "before_created_at", "sequence = 6"),
    ("changes", "before_updated_at", "sequence = 6"), ("changes", "before_expires_at", "sequence = 6"),
    ("tombstones", "sequence", "true"), ("kept_answers", "number", "true"), ("kept_answers", "bytes_so_far", "true"),
    ("kept_answers", "ends_at", "true"), ("kept_answers", "request", "true"), ("migrations", "version", "version = 6"),
    ("migrations", "applied_at", "true"),
    ("\"/notes/ text_docsize\"", "id", "id = 1"), ("\"/notes/ text_content\"", "id", "id = 1"),
  ]

  static let extremes: [Int64] = [.max, .max - 1, .min, -1, 1 << 62]

  @Test(
    "no number, however large or small, stops the check, or what goes back, or compacts", arguments: numbers.indices)
  func extremes(_ index: Int) async throws {
    let (table, column, only) = Self.numbers[index]
    let sound = try await Self.makeStore()
    for number in Self.extremes {
      let path = sound.directory.file("planted.db")
      defer { try? FileManager.default.removeItem(atPath: path) }
      try FileManager.default.copyItem(atPath: sound.path, toPath: path)
      let connection = try Connection(path: path, access: .write)
      connection.setDefensive(false)
      try connection.execute("UPDATE \(table) SET \(column) = \(number) WHERE \(only)")
      connection.close()
      let report = try DatabaseCheck.run(path: path)
      // Which is a fault depends on the column; the text must come to be in any case.
      #expect(report.findings.allSatisfy { !$0.text.isEmpty }, "\(table).\(column) = \(number)")
      _ = try? DatabaseRestore.toMoment(.revision(3), database: path, isDryRun: true)
      _ = try? DatabaseRestore.toMoment(.time(Timestamp(milliseconds: 5)), database: path, isDryRun: true)
      _ = try? DatabaseRestore.toMoment(.revision(number), database: path, isDryRun: true)
      // These sync, which takes its time.
      guard number == .max || number == .min else { continue }
      _ = try? DatabaseRestore.toMoment(.revision(3), database: path)
      var options = DatabaseRestore.Options()
      options.acceptsFaults = true
      options.moment = .revision(3)
      let target = sound.directory.file("target-\(number).db")
      _ = try? DatabaseRestore.run(backup: path, database: target, options: options)
      _ = try? DatabaseCompaction.run(path: path)
    }
  }

  @Test("what counts words is no number of too many bytes to the check")
  func longNumbers() async throws {
    for bytes in ["'" + String(repeating: "ff", count: 200) + "'", "'ffffffffffffffff7f'", "''", "'80'"] {
      let store = try await Self.makeStore()
      let connection = try store.connect()
      connection.setDefensive(false)
      try connection.execute("UPDATE \"/notes/ text_docsize\" SET sz = x\(bytes) WHERE id = 1")
      connection.close()
      #expect(try DatabaseCheck.run(path: store.path).findings.contains { $0.kind == .text })
    }
  }

  @Test("a file whose records of migrations have no number that there could be is looked at all the same")
  func strangeRecords() async throws {
    for version in [Int64.min, -5, 0] {
      let store = try await Self.makeStore()
      let connection = try store.connect()
      try connection.execute(
        "PRAGMA user_version = -7; DELETE FROM migrations; INSERT INTO migrations VALUES (\(version), 'x', 'y', 0)")
      connection.close()
      let report = try DatabaseCheck.run(path: store.path)
      #expect(report.findings.contains { $0.kind == .marks }, "\(report.findings)")
    }
  }

  @Test("changes whose numbers are far apart take a bounded memory, and all that is wrong is found as well")
  func farApart() async throws {
    let store = try await Self.makeStore()
    let connection = try store.connect()
    try connection.execute(
      """
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
        INSERT INTO changes(sequence, collection, id, kind, at) SELECT i << 40, '/far/', i, 'deleted', 0 FROM n;
      INSERT INTO tombstones SELECT collection, id, sequence FROM changes WHERE collection = '/far/';
      """)
    connection.close()
    let file = try ReadableFile(store.path)
    let reader = try file.connect()
    defer { reader.close() }
    var run = CheckRun(
      reader, path: file.path, migrations: MigrationCatalog.migrations, follower: CareFollower { _ in true })
    let report = try run.report()
    #expect(report.changes == 30_009 && run.reached.contains(30_000 << 40) && !run.reached.isIncomplete)
    #expect(run.reached.bytes < 16 << 20)
  }

  @Test("damaged pages are a finding, and nothing falls over")
  func damagedPages() async throws {
    for page in 1...12 {
      let store = try await Self.makeStore()
      let file = try FileHandle(forUpdating: URL(fileURLWithPath: store.path))
      try file.seek(toOffset: UInt64(page * 4_096))
      try file.write(contentsOf: Data(repeating: 0xA5, count: 4_096))
      try file.close()
      do {
        #expect(try !DatabaseCheck.run(path: store.path).isSound, "page \(page)")
      } catch {
        // Where the schema itself cannot be read.
        #expect(!error.description.isEmpty)
      }
    }
  }

  @Test("of each kind of finding a hundred are told, and the rest is counted")
  func limit() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    _ = try await session.writeAll((1...250).map { .put("/a/", "\($0)", "1") })
    await session.close()
    try store.closeAndCheck()
    let connection = try store.connect()
    try connection.execute("UPDATE document_rows SET data = 'x'")
    connection.close()
    let report = try DatabaseCheck.run(path: store.path)
    #expect(report.findings.count == 100 && report.omitted == [.data: 150] && report.faults == 250)
  }

  @Test("it changes nothing, and leaves no file behind")
  func leavesNothing() async throws {
    let store = try await Self.makeStore()
    let before = try Data(contentsOf: URL(fileURLWithPath: store.path))
    let names = { try FileManager.default.contentsOfDirectory(atPath: store.directory.path).sorted() }
    let was = try names()
    _ = try DatabaseCheck.run(path: store.path)
    #expect(try names() == was)
    #expect(try Data(contentsOf: URL(fileURLWithPath: store.path)) == before)
  }

  @Test("a file that stands in no server's log and one that does are read alike, with all that was committed")
  func besideStore() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    _ = try await session.writeAll((1...50).map { .put("/a/", "\($0)", "1") })
    let report = try DatabaseCheck.run(path: store.path)
    #expect(report.isSound && report.documents == 50, "\(report.findings)")
    _ = try await session.put("/a/", "x", "1")
    #expect(try DatabaseCheck.run(path: store.path).newestChange == 51)
    await session.close()
    try store.closeAndCheck()
  }

  @Test("it ends where nobody wants it any more")
  func stop() async throws {
    let store = try await Self.makeStore()
    #expect(throws: CareError.stopped) { try DatabaseCheck.run(path: store.path) { _ in false } }
    #expect(throws: CareError.stopped) {
      try DatabaseCheck.run(path: store.path) { $0.step != "checking changes" }
    }
  }

  @Test("what is no database of Docket's is refused, with the reason")
  func refused() async throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("x.db")
    #expect(throws: CareError.missing(path: path)) { try DatabaseCheck.run(path: path) }
    try Data(
      "no database at all, but long enough to be taken for one of a hundred bytes, and some more of them behind it".utf8
    )
    .write(to: URL(fileURLWithPath: path))
    #expect(throws: CareError.self) { try DatabaseCheck.run(path: path) }
    let other = directory.file("other.db")
    let connection = try Connection(path: other, access: .create)
    try connection.execute("CREATE TABLE t(x)")
    connection.close()
    #expect(throws: CareError.opening(.notDocket(path: try ReadableFile(other).path))) {
      try DatabaseCheck.run(path: other)
    }
    let newer = directory.file("newer.db")
    _ = try DatabaseFile.open(newer)
    let marks = try Connection(path: newer, access: .write)
    try marks.execute("PRAGMA user_version = 99")
    marks.close()
    #expect(throws: CareError.self) { try DatabaseCheck.run(path: newer) }
  }

  @Test("files of older versions are checked as what they are")
  func olderVersions() throws {
    for version in 1...5 {
      let directory = try TemporaryDirectory()
      let path = directory.file("old.db")
      let connection = try Connection(path: path, access: .create)
      for migration in MigrationCatalog.migrations.prefix(version) { try connection.execute(migration.sql) }
      try connection.execute("INSERT INTO documents(collection, id, data) VALUES ('/a/', '1', '1')")
      connection.close()
      let report = try DatabaseCheck.run(path: path)
      #expect(report.isSound && report.version == version && report.documents == 1, "\(report.findings)")
      #expect(report.findings.allSatisfy { $0.kind == .upkeep })
    }
  }
}
