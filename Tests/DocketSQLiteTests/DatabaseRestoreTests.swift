import DocketStore
import DocketTestSupport
import Foundation
import Migrations
import Testing

@testable import DocketSQLite

@Suite("Restoring a database")
struct DatabaseRestoreTests {
  let directory: TemporaryDirectory
  let path: String
  let backup: String

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.file("docket.db")
    backup = directory.file("backup.db")
    _ = try DatabaseFile.open(path)
  }

  func execute(_ sql: String, in file: String? = nil) throws {
    let connection = try Connection(path: file ?? path, access: .write)
    defer { connection.close() }
    try connection.execute(sql)
  }

  func string(_ sql: String, in file: String? = nil) throws -> String? {
    let connection = try Connection(path: file ?? path, access: .write)
    defer { connection.close() }
    return try connection.string(sql)
  }

  func put(_ id: String, _ json: String, in file: String? = nil) throws {
    try execute("INSERT OR REPLACE INTO documents(collection, id, data) VALUES ('/a/', '\(id)', '\(json)')", in: file)
  }

  func documents(in file: String? = nil) throws -> String? {
    try string("SELECT group_concat(id || '=' || data, ' ') FROM (SELECT * FROM documents ORDER BY id)", in: file)
  }

  func history(_ file: String? = nil) throws -> String? {
    try string("SELECT value FROM properties WHERE name = 'history_id'", in: file)
  }

  func makeBackup() throws { try execute("VACUUM INTO '\(backup)'") }

  func options(_ change: (inout DatabaseRestore.Options) -> Void) -> DatabaseRestore.Options {
    var options = DatabaseRestore.Options()
    change(&options)
    return options
  }

  @discardableResult
  func restore(_ change: (inout DatabaseRestore.Options) -> Void = { _ in }) throws -> DatabaseRestore.Outcome {
    try DatabaseRestore.run(backup: backup, database: path, options: options(change))
  }

  func checkSound(sourceLocation: SourceLocation = #_sourceLocation) throws {
    let report = try DatabaseCheck.run(path: path)
    #expect(report.findings == [], sourceLocation: sourceLocation)
    #expect(!FileManager.default.fileExists(atPath: path + ".replacement"), sourceLocation: sourceLocation)
    #expect(try string("PRAGMA journal_mode") == "wal", sourceLocation: sourceLocation)
  }

  @Test("a backup takes the place of the database, under a new name of its history, and the former one is kept")
  func restoreBackup() throws {
    try put("1", "1")
    try makeBackup()
    let before = try history()
    let outcome = try restore()
    #expect(outcome.documents == 1 && outcome.changes == 1)
    #expect(try history() != before && history(backup) == before)
    let kept = try #require(outcome.kept)
    #expect(try documents() == "1=1" && documents(in: kept) == "1=1" && history(kept) == before)
    try checkSound()
    // And it is a database like any other.
    #expect(try DatabaseFile.open(path).appliedMigrations == [])
  }

  @Test("it makes a database where there was none, also from one that is being written")
  func restoreToNothing() throws {
    try put("1", "1")
    let writer = try Connection(path: path, access: .write)
    try writer.execute("BEGIN IMMEDIATE; INSERT INTO documents(collection, id, data) VALUES ('/a/', '2', '2')")
    let target = directory.file("new.db")
    let outcome = try DatabaseRestore.run(backup: path, database: target)
    #expect(outcome.kept == nil)
    #expect(try documents(in: target) == "1=1")
    try writer.execute("COMMIT")
  }

  @Test("what the backup lacks is not lost without a word")
  func loss() throws {
    try put("1", "1")
    try makeBackup()
    for value in 2...4 { try put("1", "\(value)") }
    let resolved = try DatabasePath(resolving: path).file
    let ofBackup = try DatabasePath(resolving: backup).file
    let refusal = CareError.wouldLose(path: resolved, backup: ofBackup, changes: 3, isOtherHistory: false)
    #expect(throws: refusal) { try restore() }
    #expect(throws: refusal) { try restore { $0.isDryRun = true } }
    #expect(try documents() == "1=4")
    let kept = try #require(try restore { $0.replaces = true }.kept)
    #expect(try documents() == "1=1" && documents(in: kept) == "1=4")
    // Another history now, though it has no more changes than the backup.
    #expect(throws: CareError.wouldLose(path: resolved, backup: ofBackup, changes: 1, isOtherHistory: true)) {
      try restore()
    }
    try checkSound()
  }

  @Test("a copy that went on by itself is another history, whatever its name")
  func fork() throws {
    try put("1", "1")
    try makeBackup()
    try put("1", "2")
    try put("2", "1", in: backup)
    try put("3", "1", in: backup)
    #expect(throws: CareError.self) { try restore() }
    try restore { $0.replaces = true }
    try checkSound()
  }

  @Test("it refuses while anybody has the database open, and where the backup is the database")
  func inUse() throws {
    try makeBackup()
    let resolved = try DatabasePath(resolving: path).file
    let other = try Connection(path: path, access: .write)
    _ = try other.string("SELECT count(*) FROM documents")
    #expect(throws: CareError.opening(.inUse(path: resolved))) { try restore() }
    other.close()
    let server = try DatabaseFile.open(path)
    #expect(throws: CareError.opening(.alreadyServed(path: resolved, process: getpid()))) { try restore() }
    #expect(throws: CareError.opening(.alreadyServed(path: resolved, process: getpid()))) {
      try DatabaseRestore.toMoment(.revision(0), database: path)
    }
    withExtendedLifetime(server) {}
    #expect(throws: CareError.missing(path: backup + ".none")) {
      try DatabaseRestore.run(backup: backup + ".none", database: path)
    }
  }

  @Test("a backup with faults is restored only if that is wanted")
  func faults() throws {
    try put("1", "1")
    try makeBackup()
    try execute("UPDATE document_rows SET data = '{'", in: backup)
    let before = try history()
    #expect(throws: CareError.self) { try restore() }
    #expect(try history() == before && documents() == "1=1")
    #expect(!FileManager.default.fileExists(atPath: path + ".replacement"))
    #expect(try restore { $0.acceptsFaults = true }.faults == 1)
    #expect(try documents() == "1={")
  }

  @Test("a database that cannot be read is put aside with its log, if that is wanted")
  func unreadable() throws {
    try put("1", "1")
    try makeBackup()
    try Data(repeating: 0x58, count: 8_192).write(to: URL(fileURLWithPath: path))
    try Data("log".utf8).write(to: URL(fileURLWithPath: path + "-wal"))
    #expect(throws: CareError.self) { try restore() }
    let kept = try #require(try restore { $0.replaces = true }.kept)
    #expect(try Data(contentsOf: URL(fileURLWithPath: kept)).count == 8_192)
    #expect(try documents() == "1=1")
    try checkSound()
  }

  @Test("a log whose database is away is kept, and no former database is put beside it")
  func logWithoutDatabase() throws {
    try put("1", "1")
    try makeBackup()
    try FileManager.default.removeItem(atPath: path)
    try Data("log".utf8).write(to: URL(fileURLWithPath: path + "-wal"))
    let outcome = try restore()
    let log = try #require(outcome.keptLog)
    #expect(try outcome.kept == nil && documents() == "1=1")
    // Within the same second, most often.
    let kept = try #require(try restore { $0.replaces = true }.kept)
    #expect(try kept + "-wal" != log && documents(in: kept) == "1=1")
    #expect(try Data(contentsOf: URL(fileURLWithPath: log)) == Data("log".utf8))
  }

  @Test("a database is put aside with its log, and keeps it where that fails", arguments: ["-shm", ".kept-journal"])
  func notPutAside(_ hindrance: String) throws {
    let target = try DatabasePath(resolving: path)
    let replacement = try ReplacementFile(of: target, heldBy: DatabaseLock(on: target))
    let contents = Data(repeating: 0x58, count: 8_192)
    try contents.write(to: URL(fileURLWithPath: path))
    for log in [target.log, target.journal] { try Data("log".utf8).write(to: URL(fileURLWithPath: log)) }
    try FileManager.default.createDirectory(atPath: path + hindrance + "/x", withIntermediateDirectories: true)
    #expect(throws: CareError.self) { try replacement.finish(keepingFormerAs: path + ".kept") }
    for log in [target.log, target.journal] { #expect(try String(contentsOfFile: log, encoding: .utf8) == "log") }
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == contents)
    #expect(!FileManager.default.fileExists(atPath: path + ".kept"))
    #expect(!FileManager.default.fileExists(atPath: path + ".kept-wal"))

    try FileManager.default.removeItem(atPath: path + hindrance)
    try replacement.finish(keepingFormerAs: path + ".kept")
    #expect(try Data(contentsOf: URL(fileURLWithPath: path + ".kept")) == contents)
    for suffix in ["-wal", "-journal"] {
      #expect(try String(contentsOfFile: path + ".kept" + suffix, encoding: .utf8) == "log")
      #expect(!FileManager.default.fileExists(atPath: path + suffix))
    }
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)).isEmpty)
  }

  @Test("a damaged backup is told from a damaged database, before and when it is restored", arguments: [true, false])
  func damaged(_ isDryRun: Bool) throws {
    try put("1", "1")
    try makeBackup()
    let sound = try Data(contentsOf: URL(fileURLWithPath: backup))
    let other = directory.file("cut.db")
    try sound.prefix(20_000).write(to: URL(fileURLWithPath: other))
    let options = options { $0.isDryRun = isDryRun }
    func message(_ backup: String, _ database: String) -> String {
      do throws(CareError) {
        _ = try DatabaseRestore.run(backup: backup, database: database, options: options)
        return "it was restored"
      } catch {
        return error.description
      }
    }
    #expect(
      message(other, path).hasSuffix("cut.db: is damaged (database disk image is malformed); choose another backup"))
    #expect(
      message(backup, other).hasSuffix(
        "cut.db: cannot be read (database disk image is malformed); with --replace it is put aside, and the backup takes its place"
      ))
  }

  @Test("what .dump leaves out is given back, with texts, unique values and all")
  func dump() async throws {
    let store = try StoreFixture(clock: nil)
    let session = try store.session()
    _ = try await session.change(
      TextWords.notes,
      to: CollectionSettings(
        indexes: [CollectionIndex([CollectionIndex.Key(name: "n")])],
        unique: [CollectionIndex([CollectionIndex.Key(name: "mail")])], text: [CollectionIndex.Key(name: "t").path]))
    _ = try await session.writeAll([
      .put("/notes/", "1", #"{"t": "one word", "mail": "x", "n": 1}"#), .put("/notes/", "2", "{\"t\": \"li\\nne\"}\n"),
      .put("/item/", "1", #""it's""#), .delete("/notes/", "2"),
    ])
    await session.close()
    store.repository.close()
    let dumped = try SQLiteCommand.shell("sqlite3 docket.db .dump | sqlite3 dump.db", in: store.directory.path)
    #expect(dumped.status == 0 && dumped.error.isEmpty)
    let dump = store.directory.file("dump.db")
    #expect(throws: OpeningError.self) { try DatabaseFile.open(dump) }
    let target = store.directory.file("target.db")
    let outcome = try DatabaseRestore.run(backup: dump, database: target)
    #expect(outcome.mended.count == 2 && outcome.documents == 2 && outcome.changes == 4)
    #expect(try DatabaseCheck.run(path: target).findings == [])
    let connection = try Connection(path: target, access: .write)
    #expect(try connection.int64("SELECT rowid FROM \"/notes/ text\" WHERE \"/notes/ text\" MATCH 'word'") == 1)
    #expect(throws: SQLiteError.self) {
      try connection.execute(#"INSERT INTO documents(collection, id, data) VALUES ('/notes/', '3', '{"mail": "x"}')"#)
    }
    connection.close()
    #expect(try DatabaseFile.open(target).foreignObjects == [])
  }

  enum Damage: String, CaseIterable {
    case marks = "PRAGMA application_id = 0; PRAGMA user_version = 0"
    case version = "PRAGMA user_version = -3"
    case records = "PRAGMA application_id = 0; DELETE FROM migrations"
    case strangeRecords = "PRAGMA user_version = 0; UPDATE migrations SET version = version - 1000"
    case triggers = "DROP TRIGGER documents_insert; DROP TRIGGER tokens_delete; DROP TRIGGER path_check_insert"
    case views = "DROP VIEW documents; DROP VIEW clock"
    case indexes = "DROP INDEX item_values; DROP INDEX token_names; PRAGMA application_id = 0"
    case upkeep = "PRAGMA auto_vacuum = NONE; VACUUM"
    /// What `.recover` puts what it could not place into, besides.
    case lost = "CREATE TABLE lost_and_found(rootpgno INTEGER, pgno INTEGER, nfield INTEGER, id INTEGER, c0, c1)"

    /// In words, a part of it.
    var mended: String? {
      switch self {
      case .marks, .version, .records, .strangeRecords, .indexes: "the two numbers"
      case .triggers: "trigger documents_insert"
      case .views: "view clock"
      case .upkeep: "auto_vacuum"
      case .lost: nil
      }
    }
  }

  @Test("what a dump has lost besides rows is given back, and told beforehand", arguments: Damage.allCases)
  func damagedDump(_ damage: Damage) throws {
    try put("1", "1")
    try makeBackup()
    let connection = try Connection(path: backup, access: .write)
    connection.setDefensive(false)
    try connection.execute(damage.rawValue)
    connection.close()
    let tried = try restore { $0.isDryRun = true }
    let outcome = try restore()
    #expect(outcome.mended.contains { $0.contains(damage.mended ?? "") } || damage.mended == nil)
    #expect(outcome.mended == tried.mended && outcome.documents == 1 && tried.documents == 1 && tried.faults == 0)
    let report = try DatabaseCheck.run(path: path)
    #expect(report.findings.allSatisfy { $0.kind == .foreign } && report.version == 6, "\(report.findings)")
    try put("2", "2")
    #expect(try documents() == "1=1 2=2")
  }

  @Test(
    "a dump that has lost a table, or has one of another form, is refused and named",
    arguments: [
      "DROP TABLE tombstones", "ALTER TABLE changes RENAME COLUMN at TO moment",
      "DROP TRIGGER documents_move; CREATE TRIGGER documents_move INSTEAD OF DELETE ON documents BEGIN SELECT 1; END",
    ])
  func hopelessDump(_ damage: String) throws {
    try put("1", "1")
    try makeBackup()
    try execute("PRAGMA legacy_alter_table = ON; PRAGMA application_id = 0; \(damage)", in: backup)
    for isDryRun in [true, false] {
      do {
        try restore { $0.isDryRun = isDryRun }
        Issue.record("it was taken")
      } catch let error as CareError {
        #expect(error.description.contains("is not as Docket made it"), "\(error)")
      }
    }
    #expect(try documents() == "1=1")
  }

  @Test("older files are migrated, and newer and other ones refused")
  func versions() throws {
    let old = try Connection(path: backup, access: .create)
    for migration in MigrationCatalog.migrations.prefix(2) { try old.execute(migration.sql) }
    try old.execute("INSERT INTO documents(collection, id, data) VALUES ('/a/', '1', '1')")
    old.close()
    #expect(try restore().olderVersion == 2)
    #expect(try documents() == "1=1")
    try checkSound()
    try execute("PRAGMA user_version = 99", in: backup)
    #expect(throws: CareError.self) { try restore { $0.replaces = true } }
    try FileManager.default.removeItem(atPath: backup)
    let other = try Connection(path: backup, access: .create)
    try other.execute("CREATE TABLE t(x)")
    other.close()
    let resolved = try DatabasePath(resolving: backup).file
    #expect(throws: CareError.opening(.notDocket(path: resolved))) { try restore { $0.replaces = true } }
    #expect(try documents() == "1=1")
  }
}
