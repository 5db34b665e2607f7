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

  @Test("tokens stay as they are: none comes back that was revoked since, and what was closed stays closed")
  func tokens() throws {
    func token(_ name: String, _ id: String) -> NewToken {
      NewToken(
        id: id, name: name, rules: AccessRules([.admin]), digest: [UInt8](repeating: 1, count: 32), expires: nil)
    }
    let file = directory.file("other.db")
    _ = try DatabaseFile.open(file)
    let open = try TokenFile.open(path: path)
    _ = try open.add(token("old", "a"))
    try makeBackup()
    _ = try open.revoke("old")
    _ = try open.add(token("old", "b"))
    let present = try open.tokens()
    withExtendedLifetime(open) {}
    _ = consume open
    try restore { $0.replaces = true }
    #expect(try TokenFile.open(path: path).tokens() == present)
    // A backup from before there was any, and one of another database, whose token has a name that is taken.
    for sql in ["SELECT 1", "INSERT INTO tokens VALUES ('c', 'old', '[\"admin\"]', '', 1, NULL, NULL)"] {
      try execute(sql, in: file)
      _ = try DatabaseRestore.run(backup: file, database: path, options: options { $0.replaces = true })
      let tokens = try TokenFile.open(path: path).tokens()
      #expect(tokens.filter { $0.revoked == nil && $0.name == "old" }.map(\.id) == ["b"])
      #expect(tokens.first { $0.id == "a" }?.revoked != nil)
    }
    try checkSound()
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
