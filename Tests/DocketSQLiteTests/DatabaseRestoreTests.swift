import DocketStore
import DocketTestSupport
import Foundation
import Migrations
import Testing

@testable import DocketSQLite

@Suite("Restoring a database")
struct DatabaseRestoreTests {
  private let directory: TemporaryDirectory
  private let path: String
  private let backup: String

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.file("docket.db")
    backup = directory.file("backup.db")
    _ = try DatabaseFile.open(path)
  }

  private func execute(_ sql: String, in file: String? = nil) throws {
    let connection = try Connection(path: file ?? path, access: .write)
    defer { connection.close() }
    try connection.execute(sql)
  }

  private func string(_ sql: String, in file: String? = nil) throws -> String? {
    let connection = try Connection(path: file ?? path, access: .write)
    defer { connection.close() }
    return try connection.string(sql)
  }

  private func put(_ id: String, _ json: String, in file: String? = nil) throws {
    try execute("INSERT OR REPLACE INTO documents(collection, id, data) VALUES ('/a/', '\(id)', '\(json)')", in: file)
  }

  private func documents(in file: String? = nil) throws -> String? {
    try string("SELECT group_concat(id || '=' || data, ' ') FROM (SELECT * FROM documents ORDER BY id)", in: file)
  }

  private func history(_ file: String? = nil) throws -> String? {
    try string("SELECT value FROM properties WHERE name = 'history_id'", in: file)
  }

  private func makeBackup() throws { try execute("VACUUM INTO '\(backup)'") }

  private func options(_ change: (inout DatabaseRestore.Options) -> Void) -> DatabaseRestore.Options {
    var options = DatabaseRestore.Options()
    change(&options)
    return options
  }

  @discardableResult
  private func restore(_ change: (inout DatabaseRestore.Options) -> Void = { _ in }) throws -> DatabaseRestore.Outcome {
    try DatabaseRestore.run(backup: backup, database: path, options: options(change))
  }

  private func checkSound(sourceLocation: SourceLocation = #_sourceLocation) throws {
    let report = try DatabaseCheck.run(path: path)
    #expect(report.findings == [], sourceLocation: sourceLocation)
    #expect(!FileManager.default.fileExists(atPath: path + ".replacement"), sourceLocation: sourceLocation)
    #expect(try string("PRAGMA journal_mode") == "wal", sourceLocation: sourceLocation)
  }

  // MARK: Tokens

  private func addToken(_ name: String, _ id: String, in file: String? = nil) throws {
    let tokens = try TokenFile.open(path: file ?? path)
    _ = try tokens.add(
      NewToken(id: id, name: name, rules: AccessRules([.admin]), digest: [UInt8](repeating: 1, count: 32), expires: nil)
    )
  }

  private func tokens() throws -> [AccessToken] { try TokenFile.open(path: path).tokens() }

  /// The ids of those that let somebody in.
  private func holding() throws -> [String] { try tokens().filter { $0.revoked == nil }.map(\.id) }

  @Test("tokens stay as they are: none comes back that was revoked since, and what was closed stays closed")
  func tokensStay() throws {
    try addToken("old", "a")
    try makeBackup()
    #expect(try TokenFile.open(path: path).revoke("old") != nil)
    try addToken("old", "b")
    let present = try tokens()
    for keeps in [false, true] {
      let outcome = try restore {
        $0.replaces = true
        $0.keepsTokens = keeps
      }
      #expect(try tokens() == present && outcome.tokens == RestoredTokens())
    }
    // A backup from before there was any.
    let file = directory.file("other.db")
    _ = try DatabaseFile.open(file)
    _ = try DatabaseRestore.run(backup: file, database: path, options: options { $0.replaces = true })
    #expect(try tokens() == present)
    try checkSound()
  }

  @Test("tokens that only the backup has are revoked, or hold if that is wanted, but for a name that is taken")
  func strangers() throws {
    try addToken("ci", "a")
    try addToken("root", "b")
    let file = directory.file("other.db")
    try addToken("ci", "c", in: file)
    try addToken("web", "d", in: file)
    try execute("INSERT INTO tokens VALUES ('e', 'gone', '[]', '', 1, NULL, 2)", in: file)
    func outcome(_ change: (inout DatabaseRestore.Options) -> Void) throws -> RestoredTokens {
      try DatabaseRestore.run(
        backup: file, database: path,
        options: options {
          $0.replaces = true
          change(&$0)
        }
      ).tokens
    }
    let tried = try outcome { $0.isDryRun = true }
    #expect(tried.revoked.map(\.id) == ["c", "d"] && tried.kept == [] && !tried.mayOpenDoor)
    let keeping = try outcome {
      $0.isDryRun = true
      $0.keepsTokens = true
    }
    #expect(keeping.revoked.map(\.id) == ["c"] && keeping.kept.map(\.id) == ["d"])
    #expect(try holding() == ["a", "b"])
    #expect(try outcome { _ in } == tried)
    #expect(try holding() == ["a", "b"] && tokens().count == 5)
    // Known by now, as revoked.
    #expect(try outcome { $0.keepsTokens = true } == RestoredTokens())
    #expect(try holding() == ["a", "b"])
    try execute("DELETE FROM tokens WHERE id > 'b'")
    #expect(try outcome { $0.keepsTokens = true } == keeping)
    #expect(try Set(holding()) == ["a", "b", "d"])
    try checkSound()
  }

  @Test("a database whose tokens were cleared away stays shut")
  func clearedTokens() throws {
    try put("1", "1")
    try makeBackup()
    try addToken("old", "a")
    try execute("DELETE FROM tokens")
    _ = try restore { $0.replaces = true }
    #expect(try tokens().isEmpty && string("SELECT number > 0 FROM token_changes") == "1")
    _ = try DatabaseReset.reset(path)
    #expect(try tokens().isEmpty && string("SELECT number > 0 FROM token_changes") == "1")
    _ = try DatabaseReset.reset(path, keepsTokens: false)
    #expect(try string("SELECT number FROM token_changes") == "0")
    try checkSound()
  }

  enum Place: CaseIterable {
    case missing, empty, unreadable, withoutReadableTokens, withoutTokens, olderSchema
  }

  @Test(
    "where the database that was there does not know of a backup's tokens, they are revoked, and still keep all others out",
    arguments: Place.allCases)
  func nothingToTell(_ place: Place) throws {
    try put("1", "1")
    try addToken("root", "a")
    try makeBackup()
    try FileManager.default.removeItem(atPath: path)
    switch place {
    case .missing: break
    case .empty: try Data().write(to: URL(fileURLWithPath: path))
    case .unreadable: try Data(repeating: 0x58, count: 8_192).write(to: URL(fileURLWithPath: path))
    case .withoutReadableTokens:
      _ = try DatabaseFile.open(path)
      try execute("ALTER TABLE tokens RENAME COLUMN digest TO other")
    case .withoutTokens: _ = try DatabaseFile.open(path)
    case .olderSchema:
      let old = try Connection(path: path, access: .create)
      for migration in MigrationCatalog.migrations.prefix(2) { try old.execute(migration.sql) }
      old.close()
    }
    let tried = try restore {
      $0.replaces = true
      $0.isDryRun = true
    }
    let outcome = try restore { $0.replaces = true }
    #expect(outcome.tokens.revoked.map(\.name) == ["root"] && outcome.tokens == tried.tokens)
    #expect(try tokens().count == 1 && holding() == [])
    try checkSound()
  }

  @Test("tokens of a backup hold again where that is wanted and nothing knows better")
  func keepTokens() throws {
    try put("1", "1")
    try addToken("root", "a")
    try makeBackup()
    try FileManager.default.removeItem(atPath: path)
    #expect(try restore { $0.keepsTokens = true }.tokens.kept.map(\.name) == ["root"])
    #expect(try holding() == ["a"])
    try checkSound()
  }

  @Test("that a database without tokens takes the place of one that may have had some is told")
  func openDoor() throws {
    try put("1", "1")
    try makeBackup()
    #expect(try !restore().tokens.mayOpenDoor)
    try Data(repeating: 0x58, count: 8_192).write(to: URL(fileURLWithPath: path))
    #expect(try restore { $0.replaces = true }.tokens.mayOpenDoor)
    try FileManager.default.removeItem(atPath: path)
    #expect(try restore { $0.isDryRun = true }.tokens.mayOpenDoor)
    #expect(try restore().tokens.mayOpenDoor)
  }

  @Test(
    "a backup is refused, and its trigger named, where that has other tokens hold than are to",
    arguments: [
      "AFTER UPDATE ON tokens WHEN new.revoked_at IS NOT NULL BEGIN UPDATE tokens SET revoked_at = NULL WHERE id = new.id; END",
      "AFTER UPDATE ON tokens BEGIN UPDATE tokens SET allow = '[\"admin\", \"stats\"]' WHERE id = new.id; END",
      "AFTER UPDATE ON tokens BEGIN INSERT INTO tokens VALUES ('z', 'z', '[\"admin\"]', '', 1, NULL, NULL); END",
      "BEFORE UPDATE ON token_changes BEGIN SELECT raise(IGNORE); END",
      // Long after the tokens were put there.
      "AFTER INSERT ON properties BEGIN UPDATE tokens SET revoked_at = NULL; END",
    ])
  func tokensUndone(_ trigger: String) throws {
    // What keeps a database shut that has no token any more.
    let isOfDoor = trigger.contains("ON token_changes")
    if !isOfDoor { try addToken("old", "a") }
    try makeBackup()
    if isOfDoor { try addToken("old", "a") }
    #expect(try TokenFile.open(path: path).revoke("old") != nil)
    if isOfDoor { try execute("DELETE FROM tokens") }
    let present = try tokens()
    try execute("CREATE TRIGGER quiet AFTER DELETE ON document_rows BEGIN SELECT 1; END", in: backup)
    try execute("CREATE TRIGGER undo \(trigger)", in: backup)
    #expect(throws: CareError.tokensChanged(path: backup, triggers: ["undo"])) { try restore { $0.replaces = true } }
    #expect(try tokens() == present)
    try checkSound()
  }

  @Test("triggers that come with a backup are told, but not those of settings")
  func triggersTold() async throws {
    let store = try StoreFixture(clock: nil)
    let session = try store.session()
    _ = try await session.change(
      TextWords.notes, to: CollectionSettings(text: [CollectionIndex.Key(name: "t").path]))
    await session.close()
    store.repository.close()
    try FileManager.default.removeItem(atPath: path)
    try execute("VACUUM INTO '\(path)'", in: store.path)
    #expect(try string("SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND name LIKE '/notes/%'") != "0")
    try execute("CREATE TRIGGER audit AFTER INSERT ON document_rows BEGIN SELECT 1; END")
    try makeBackup()
    for isDryRun in [true, false] {
      #expect(
        try restore {
          $0.replaces = true
          $0.isDryRun = isDryRun
        }.foreignTriggers == ["audit"])
    }
  }

  @Test("a trigger of an operator's that keeps tokens from being revoked refuses the backup")
  func tokensTrigger() throws {
    try addToken("root", "a")
    try makeBackup()
    try execute("CREATE TRIGGER keep BEFORE UPDATE ON tokens BEGIN SELECT raise(ABORT, 'kept'); END", in: backup)
    try FileManager.default.removeItem(atPath: path)
    #expect(throws: CareError.refused(path: try DatabasePath(resolving: backup).file, reason: "kept")) { try restore() }
    #expect(!FileManager.default.fileExists(atPath: path))
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

  // MARK: Moments

  @Test("a file of a newer version is refused, also where nothing is to be changed", arguments: [true, false])
  func newerMoment(isDryRun: Bool) throws {
    try put("changed", "1")
    try execute("PRAGMA user_version = 99", in: path)
    let resolved = try DatabasePath(resolving: path).file
    #expect(throws: CareError.opening(.newer(path: resolved, version: 99, supported: 6))) {
      try DatabaseRestore.toMoment(.revision(0), database: path, isDryRun: isDryRun)
    }
  }

  @Test("documents go back to what they were at a revision, by changes that can be undone as well")
  func moment() throws {
    try put("changed", "1")
    try put("gone", "1")
    try put("same", "1")
    let before = try documents()
    try put("changed", "2")
    try put("changed", "3")
    try execute("DELETE FROM documents WHERE id = 'gone'")
    try put("new", "1")
    let after = try documents()
    let name = try history()
    let expected = PastOutcome(revision: 3, putBack: 2, deleted: 1, left: 1)
    #expect(try DatabaseRestore.toMoment(.revision(3), database: path, isDryRun: true) == expected)
    #expect(try documents() == after && string("SELECT max(sequence) FROM changes") == "7")
    #expect(try DatabaseRestore.toMoment(.revision(3), database: path) == expected)
    #expect(try documents() == before && history() == name)
    try checkSound()
    #expect(try DatabaseRestore.toMoment(.revision(7), database: path).putBack == 2)
    #expect(try documents() == after)
    #expect(try DatabaseRestore.toMoment(.revision(0), database: path).deleted == 3)
    #expect(try documents() == nil)
    try checkSound()
  }

  @Test("a moment before the history kept, and one that has not come, are refused")
  func outOfRange() throws {
    for value in 1...5 { try put("1", "\(value)") }
    try execute("DELETE FROM changes WHERE sequence < 3")
    #expect(throws: CareError.historyGone(path: try DatabasePath(resolving: path).file, oldest: 2)) {
      try DatabaseRestore.toMoment(.revision(1), database: path)
    }
    #expect(throws: CareError.ahead(path: try DatabasePath(resolving: path).file, newest: 5)) {
      try DatabaseRestore.toMoment(.revision(6), database: path)
    }
    #expect(throws: CareError.self) {
      try DatabaseRestore.toMoment(.time(Timestamp(milliseconds: 0)), database: path)
    }
    #expect(try documents() == "1=5")
    #expect(try DatabaseRestore.toMoment(.revision(2), database: path).putBack == 1)
    #expect(try documents() == "1=2")
  }

  @Test("a time is that of the newest change until then; what had ended by then or since stays away")
  func times() throws {
    try put("1", "1")
    try execute(
      """
      UPDATE document_rows SET expires_at = 1000;
      INSERT INTO documents(collection, id, data) VALUES ('/a/', '1', '2'), ('/a/', '2', '1');
      UPDATE changes SET at = at + sequence;
      """)
    try execute("UPDATE documents SET data = '9'")
    let at = try #require(try string("SELECT at FROM changes WHERE sequence = 1").flatMap { Int64($0) })
    // At change 1 document 1 was there; its end has come since.
    let outcome = try DatabaseRestore.toMoment(.time(Timestamp(milliseconds: at)), database: path)
    #expect(outcome.revision == 1 && outcome.putBack == 0 && outcome.deleted == 2)
    #expect(try documents() == nil)
  }

  @Test("a backup goes to a moment before it takes its place")
  func backupAtMoment() throws {
    try put("1", "1")
    try put("1", "2")
    try makeBackup()
    let outcome = try restore { $0.moment = .revision(1) }
    #expect(outcome.past == PastOutcome(revision: 1, putBack: 1, deleted: 0, left: 0))
    #expect(try documents() == "1=1" && documents(in: backup) == "1=2")
    try checkSound()
  }

  @Test("what is unique is looked at in the end: values may be exchanged, but not had twice")
  func unique() async throws {
    let store = try StoreFixture(clock: nil)
    let users = CollectionPath(unchecked: "/users/")
    let unique = CollectionSettings(
      unique: [CollectionIndex([CollectionIndex.Key(name: "mail")])], requiresCondition: true)
    var session = try store.session()
    _ = try await session.writeAll([
      .put("/users/", "1", #"{"mail": "x"}"#), .put("/users/", "2", #"{"mail": "x"}"#),
      .put("/users/", "2", #"{"mail": "y"}"#),
    ])
    _ = try await session.change(users, to: unique)
    await session.close()
    store.repository.close()
    let connection = try store.connect()
    for (id, mail) in [("1", "z"), ("2", "x"), ("1", "y")] {
      try connection.execute("UPDATE documents SET data = '{\"mail\": \"\(mail)\"}' WHERE id = '\(id)'")
    }
    connection.close()
    #expect(
      throws: CareError.notUnique(collection: "/users/", fields: ["mail"], first: "1", second: "2")
    ) { try DatabaseRestore.toMoment(.revision(2), database: store.path) }
    // The rule that writes need a condition is one for clients.
    #expect(try DatabaseRestore.toMoment(.revision(3), database: store.path).putBack == 2)
    try store.restart()
    session = try store.session()
    #expect(try await session.text("/users/", "1") == #"{"mail": "x"}"#)
    #expect(try await session.text("/users/", "2") == #"{"mail": "y"}"#)
    await session.close()
    try store.closeAndCheck()
    #expect(try DatabaseCheck.run(path: store.path).isSound)
  }

  @Test("a trigger of an operator's that raises an error refuses it all")
  func trigger() throws {
    try put("1", "1")
    try put("1", "2")
    try put("2", "1")
    try execute("CREATE TRIGGER keep BEFORE DELETE ON document_rows BEGIN SELECT raise(ABORT, 'kept'); END")
    #expect(throws: CareError.refused(path: try DatabasePath(resolving: path).file, reason: "kept")) {
      try DatabaseRestore.toMoment(.revision(1), database: path)
    }
    #expect(try documents() == "1=2 2=1")
    #expect(try string("SELECT max(sequence) FROM changes") == "3")
  }

  @Test("stopped anywhere it leaves the database as it was, and nothing beside it")
  func stop() throws {
    try put("1", "1")
    try makeBackup()
    try put("1", "2")
    let files = try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
    let options = options {
      $0.replaces = true
      $0.moment = .revision(0)
    }
    for step in ["copying the backup", "preparing the copy", "putting documents back", "checking changes"] {
      #expect(throws: CareError.stopped) {
        try DatabaseRestore.run(backup: backup, database: path, options: options) { $0.step != step }
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted() == files)
      #expect(try documents() == "1=2")
    }
    #expect(throws: CareError.stopped) {
      try DatabaseRestore.toMoment(.revision(1), database: path) { $0.step != "checking what is unique" }
    }
    #expect(try documents() == "1=2")
    try checkSound()
  }
}
