import DocketStore
import DocketTestSupport
import Foundation
import Migrations
import Testing

@testable import DocketSQLite

/// Documents that go back to what they were at a moment.
extension DatabaseRestoreTests {
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
