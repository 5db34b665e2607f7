import DocketStore
import DocketTestSupport
import Testing

@testable import DocketSQLite

@Suite("What is set for collections, and the view documents")
struct CollectionRulesTests {
  private static let users = CollectionPath(unchecked: "/users/")
  private static let past = "2001-01-01"

  private static func unique(_ fields: [String]...) -> CollectionSettings {
    CollectionSettings(unique: fields.map { CollectionIndex($0.map(CollectionIndex.Key.init(name:))) })
  }

  /// What a statement fails with; nil if it does not fail.
  private static func message(_ connection: Connection, _ sql: String) -> String? {
    do throws(SQLiteError) {
      try connection.execute(sql)
      return nil
    } catch {
      return error.message
    }
  }

  @Test("what is unique stays so, whatever the statement and its OR clause")
  func unique() async throws {
    let store = try StoreFixture(clock: nil)
    let session = try store.session()
    _ = try await session.change(Self.users, to: Self.unique(["mail"], ["a.n", "b"]))
    _ = try await session.writeAll([
      .put("/users/", "1", #"{"mail": "x", "a": {"n": 1}, "b": true}"#), .put("/users/", "2", #"{"mail": "y"}"#),
      .put("/other/", "2", #"{"mail": "x"}"#),
    ])
    let outside = try store.connect()
    let sameMail = "another document of /users/ has the same mail"
    let refused = [
      #"INSERT INTO documents(collection, id, data) VALUES ('/users/', '3', '{"mail": "x"}')"#: sameMail,
      #"INSERT OR REPLACE INTO documents(collection, id, data) VALUES ('/users/', '3', '{"mail": "x"}')"#: sameMail,
      #"INSERT OR REPLACE INTO documents(collection, id, data) VALUES ('/users/', '2', '{"mail": "x"}')"#: sameMail,
      #"INSERT OR IGNORE INTO documents(collection, id, data) VALUES ('/users/', '3', '{"mail": "x"}')"#: sameMail,
      #"UPDATE documents SET data = '{"mail": "x"}' WHERE collection = '/users/' AND id = '2'"#: sameMail,
      #"UPDATE OR REPLACE documents SET data = '{"mail": "x"}' WHERE collection = '/users/' AND id = '2'"#: sameMail,
      "UPDATE documents SET collection = '/users/', id = '3' WHERE collection = '/other/'": sameMail,
      #"INSERT INTO documents(collection, id, data) VALUES ('/users/', '3', '{"a": {"n": 1.0}, "b": true}')"#:
        "another document of /users/ has the same a.n, b",
    ]
    let before = try outside.int64("SELECT count(*) FROM changes")
    for (sql, expected) in refused { #expect(Self.message(outside, sql) == expected, "\(sql)") }
    #expect(try outside.int64("SELECT count(*) FROM changes") == before)
    let taken = [
      #"INSERT INTO documents(collection, id, data) VALUES ('/users/', '3', '{"mail": "z"}')"#,
      #"INSERT INTO documents(collection, id, data) VALUES ('/users/', '4', '{"mail": null}'), ('/users/', '5', '{"mail": null}')"#,
      #"INSERT OR REPLACE INTO documents(collection, id, data) VALUES ('/users/', '1', '{"mail": "x", "c": 1}')"#,
      #"UPDATE documents SET data = json_set(data, '$.n', 1) WHERE collection = '/users/'"#,
      #"DELETE FROM documents WHERE collection = '/users/' AND id = '1'"#,
      "UPDATE documents SET collection = '/users/', id = '1' WHERE collection = '/other/'",
    ]
    for sql in taken { #expect(Self.message(outside, sql) == nil, "\(sql)") }
    _ = try await session.change(Self.users, to: nil)
    let free = #"INSERT INTO documents(collection, id, data) VALUES ('/users/', '9', '{"mail": "z"}')"#
    #expect(Self.message(outside, free) == nil)
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test("what has expired is ended by whoever takes its place, as a change of its own")
  func expired() async throws {
    let store = try StoreFixture(clock: nil)
    let session = try store.session()
    _ = try await session.change(Self.users, to: Self.unique(["mail"]))
    let outside = try store.connect()
    // A transaction that is open keeps the server from clearing the document away.
    try outside.execute(
      """
      BEGIN;
      INSERT INTO documents(collection, id, data, expires_at) VALUES ('/users/', '1', '{"mail": "x"}', '\(Self.past)');
      INSERT INTO documents(collection, id, data) VALUES ('/users/', '2', '{"mail": "x"}');
      COMMIT
      """)
    let history = try outside.string(
      "SELECT group_concat(kind || ' ' || id, ', ') FROM (SELECT * FROM changes ORDER BY sequence)")
    #expect(history == "created 1, expired 1, created 2")
    #expect(try outside.string("SELECT group_concat(id) FROM document_rows") == "2")
    try outside.execute("INSERT INTO expired_document VALUES ('/users/', '2'), ('/users/', 'none')")
    #expect(try outside.int64("SELECT count(*) FROM changes") == 3, "what has not expired is not ended")
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test("documents that are inserted live as long as is set, unless the statement says otherwise")
  func lifetime() async throws {
    let store = try StoreFixture(clock: nil)
    let session = try store.session()
    _ = try await session.change(Self.users, to: CollectionSettings(lifetimeSeconds: 3_600))
    let outside = try store.connect()
    try outside.execute(
      """
      INSERT INTO documents(collection, id, data) VALUES ('/users/', 'set', '1'), ('/other/', 'other', '1');
      INSERT INTO documents(collection, id, data, expires_at) VALUES ('/users/', 'own', '1', '2100-01-01');
      INSERT INTO documents(collection, id, data) VALUES ('/users/', 'updated', '1'), ('/users/', 'replaced', '1');
      UPDATE documents SET expires_at = NULL WHERE id IN ('updated', 'replaced');
      UPDATE documents SET data = '2' WHERE id = 'updated';
      INSERT OR REPLACE INTO documents(collection, id, data) VALUES ('/users/', 'replaced', '2');
      """)
    func hours(_ id: String) throws -> Int64? {
      try outside.int64("SELECT round((expires_at - updated_at) / 3600000.0) FROM document_rows WHERE id = '\(id)'")
    }
    try outside.execute(
      """
      INSERT INTO documents(collection, id, data, expires_at) VALUES ('/users/', 'never', '1', 'never');
      INSERT INTO documents(collection, id, data) VALUES ('/other/', 'moved', '1'), ('/other/', 'moved back', '1');
      UPDATE documents SET id = 'renamed' WHERE id = 'never';
      UPDATE documents SET collection = '/users/' WHERE id = 'moved';
      UPDATE documents SET collection = '/users/', expires_at = '2100-01-01' WHERE id = 'moved back';
      """)
    #expect(try hours("renamed") == nil && hours("moved") == nil)
    #expect(try outside.int64("SELECT count(*) FROM document_rows WHERE id IN ('renamed', 'moved')") == 2)
    #expect(
      try outside.string("SELECT expires_at FROM documents WHERE id = 'moved back'") == "2100-01-01T00:00:00.000Z")
    #expect(try hours("set") == 1 && hours("replaced") == 1)
    #expect(try hours("other") == nil && hours("updated") == nil)
    #expect(try outside.string("SELECT expires_at FROM documents WHERE id = 'own'") == "2100-01-01T00:00:00.000Z")
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test("another document with the same values is searched by the index of these fields")
  func plan() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    let fields = CollectionIndex([.init(name: "mail"), .init(name: "a.n")])
    _ = try await session.change(Self.users, to: CollectionSettings(unique: [fields]))
    let outside = try store.connect()
    let plan = try outside.prepare("EXPLAIN QUERY PLAN \(UniqueSchema(fields, of: Self.users).search)")
    #expect(try plan.step())
    let terms = Array(repeating: "<expr>=?", count: 5).joined(separator: " AND ")
    #expect(plan.string(3) == #"SEARCH document_rows USING INDEX /users/ ["mail", "a.n"] (\#(terms))"#)
    plan.reset()
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test("the trigger of what is unique is made again where it is missing, and is nothing foreign")
  func missing() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    _ = try await session.change(Self.users, to: Self.unique(["mail"]))
    _ = try await session.put("/users/", "1", #"{"mail": "x"}"#)
    await session.close()
    store.repository.close()
    let outside = try store.connect()
    try outside.execute(#"DROP TRIGGER "unique /users/ [""mail""]"; DROP INDEX "/users/ [""mail""]""#)
    outside.close()
    let file = try DatabaseFile.open(store.path)
    #expect(file.foreignObjects == [] && file.missingObjects == [])
    let again = try store.connect()
    let sql = #"INSERT INTO documents(collection, id, data) VALUES ('/users/', '2', '{"mail": "x"}')"#
    #expect(Self.message(again, sql) == "another document of /users/ has the same mail")
    again.close()
  }

  @Test("many that have expired are ended some at a time, and a refused write ends none")
  func manyExpired() async throws {
    var options = SQLiteStoreOptions()
    options.idleMilliseconds = 3_600_000
    options.sweepMilliseconds = 3_600_000
    let clock = TestClock()
    let store = try StoreFixture(options: options, clock: clock)
    let session = try store.session()
    let brief = WriteTerms(lifetime: .milliseconds(1_000))
    _ = try await session.writeAll((0..<40).map { Write.put("/users/", "\($0)", #"{"n": 1}"#).on(brief) })
    _ = try await session.put("/users/", "live", #"{"m": 1}"#)
    clock.milliseconds += 2_000
    _ = try await session.change(Self.users, to: Self.unique(["n"], ["m"]))
    let taken = try await session.writeAll([.put("/users/", "new", #"{"n": 1, "m": 1}"#)])[0]
    #expect(taken == .failure(.duplicate(of: DocumentPath("/users/", "live"), fields: ["m"])))
    #expect(try await session.status().revision == Revision(41))
    #expect(try await session.put("/users/", "new", #"{"n": 1}"#) == Revision(41 + 16 + 1))
    await session.close()
    try store.closeAndCheck(but: [.unique])
  }

  @Test(
    "fields are compared each by itself: what SQLite has only roughly says nothing of the others",
    arguments: [
      (#"{"a": 1e5, "b": 1}"#, #"{"a": 1e5, "b": 1.0}"#, true),
      (#"{"a": 12345678901234567890, "b": "é"}"#, #"{"a": 12345678901234567890, "b": "\u00e9"}"#, true),
      (#"{"a": 1, "b": "C:\\u0000x"}"#, #"{"a": 1, "b": "C:\u005cu0000x"}"#, true),
      (#"{"a": -1, "b": 1}"#, #"{"a": -1.00000000000000, "b": 1}"#, true),
      (#"{"a": 12345678901234567890, "b": 1}"#, #"{"a": 12345678901234567891, "b": 1}"#, false),
      (#"{"a": 1, "b": "x\u0000"}"#, #"{"a": 1, "b": "x\u0000y"}"#, false),
    ])
  func fields(_ first: String, _ second: String, areSame: Bool) async throws {
    let store = try StoreFixture()
    let session = try store.session()
    _ = try await session.change(Self.users, to: Self.unique(["a", "b"]))
    _ = try await session.put("/users/", "1", first)
    let answer = try await session.writeAll([.put(DocumentPath("/users/", "2"), data: .init(string: second))])[0]
    let isRefused = answer == .failure(.duplicate(of: DocumentPath("/users/", "1"), fields: ["a", "b"]))
    #expect(isRefused == areSame)
    let outside = try store.connect()
    let message = Self.message(
      outside, "INSERT INTO documents(collection, id, data) VALUES ('/users/', '3', '\(second)')")
    // Where they are not the same the second is there already.
    #expect(message == "another document of /users/ has the same a, b")
    if !areSame { _ = try await session.write(.delete("/users/", "2")) }
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test("collections whose names look the same, or hold quotes, have what they need, and it stays over a restart")
  func names() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    for name in ["/\u{E9}/", "/e\u{301}/", "/it's/", "/it'\u{301}s/", "/a\"\u{301}/"] {
      var settings = Self.unique(["a"])
      settings.text = [FieldPath(unchecked: ["t"])]
      _ = try await session.change(CollectionPath(unchecked: name), to: settings)
      #expect(try await session.put(name, "1", #"{"a": 1, "t": "word"}"#) != nil)
      let second = try await session.writeAll([.put(DocumentPath(name, "2"), data: .init(string: #"{"a": 1}"#))])[0]
      #expect(second == .failure(.duplicate(of: DocumentPath(name, "1"), fields: ["a"])), "\(name)")
    }
    await session.close()
    try store.closeAndCheck()
    func schemaVersion() throws -> Int64? {
      let connection = try store.connect()
      defer { connection.close() }
      return try connection.int64("PRAGMA schema_version")
    }
    let before = try schemaVersion()
    let file = try DatabaseFile.open(store.path)
    #expect(file.foreignObjects == [] && file.missingObjects == [])
    #expect(try schemaVersion() == before)
  }

  @Test(
    "settings that somebody has written by hand end no server",
    arguments: [#"{"expire": 9223372036854775807}"#, #"{"expire": -1}"#, #"{"text": ["rank"]}"#, "[]", "no JSON"])
  func oddSettings(text: String) async throws {
    let store = try StoreFixture()
    store.repository.close()
    let outside = try store.connect()
    try outside.execute("INSERT INTO collections VALUES ('/users/', '\(text)')")
    outside.close()
    try store.restart()
    let session = try store.session()
    #expect(try await session.put("/users/", "1", "1") != nil)
    #expect(try await session.put("/other/", "1", "1") != nil)
    await session.close()
    try store.closeAndCheck(but: [.settings, .index])
  }

  @Test("a row that is no JSON, where the index could not be made for it, stops the writes of its collection alone")
  func malformed() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    _ = try await session.change(Self.users, to: Self.unique(["mail"]))
    _ = try await session.put("/users/", "1", #"{"mail": "x"}"#)
    await session.close()
    store.repository.close()
    let outside = try store.connect()
    try outside.execute(
      #"DROP INDEX "/users/ [""mail""]"; UPDATE document_rows SET data = 'no JSON' WHERE id = '1'"#)
    outside.close()
    try store.restart()
    let second = try store.session()
    guard case .failure(.refused(let reason)) = try await second.writeAll([.put("/users/", "2", #"{"mail": "x"}"#)])[0]
    else { throw StoreError.failed(reason: "the write was not refused") }
    #expect(reason == "what is unique in /users/ cannot be told: malformed JSON")
    #expect(try await second.put("/other/", "1", "1") != nil)
    #expect(try await second.write(.delete("/users/", "1")) == .deleted(DocumentPath("/users/", "1"), Revision(3)))
    #expect(try await second.put("/users/", "2", #"{"mail": "x"}"#) != nil)
    await second.close()
    try store.closeAndCheck(but: [.index])
  }

  @Test("a batch takes values that it lets go of, and is undone whole where one is taken")
  func batches() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    _ = try await session.change(Self.users, to: Self.unique(["n"]))
    _ = try await session.writeAll([.put("/users/", "1", #"{"n": 1}"#), .put("/users/", "2", #"{"n": 2}"#)])
    func batch(_ writes: [Write]) async throws -> [Result<WriteOutcome, StoreError>] {
      let transaction = Transaction<[Result<WriteOutcome, StoreError>]>(.batch, bytes: 0, key: nil) { access in
        nonisolated(unsafe) var results: [Result<WriteOutcome, StoreError>] = []
        for write in writes { access.submit(write) { results.append($0) } }
        let isKept = results.allSatisfy { if case .success = $0 { true } else { false } }
        return TransactionResult(results, answerBytes: 0, keepsWrites: isKept, kept: nil)
      }
      guard case .answered(let results) = try await session.transact(transaction) else { return [] }
      return results
    }
    let swap: [Write] = [
      .put("/users/", "1", #"{"n": 3}"#), .put("/users/", "2", #"{"n": 1}"#), .put("/users/", "1", #"{"n": 2}"#),
    ]
    #expect(try await batch(swap).allSatisfy { (try? $0.get()) != nil })
    let taken = try await batch([.put("/users/", "1", #"{"n": 9}"#), .put("/users/", "3", #"{"n": 1}"#)])
    #expect(taken.last == .failure(.duplicate(of: DocumentPath("/users/", "2"), fields: ["n"])))
    #expect(try await session.text("/users/", "1") == #"{"n": 2}"#)
    #expect(try await session.put("/users/", "3", #"{"n": 9}"#) != nil)
    await session.close()
    try store.closeAndCheck()
  }

  @Test("settings change while others write: what is unique stays so, and no acknowledged write is lost")
  func changes() async throws {
    let store = try StoreFixture()
    let toggling = try store.session()
    let fields = CollectionIndex([.init(name: "n")])
    let variants = (0..<4).map { number in
      CollectionSettings(
        indexes: number % 2 == 0 ? [] : [CollectionIndex([.init(name: "-m"), .init(name: "n")])], unique: [fields],
        lifetimeSeconds: number < 2 ? nil : 86_400)
    }
    _ = try await toggling.change(Self.users, to: variants[0])
    try await withThrowingTaskGroup(of: Int.self) { group in
      for writer in 0..<3 {
        let session = try store.session()
        group.addTask {
          var generator = SeededGenerator.forTest(named: "settings change \(writer)")
          var refused = 0
          for step in 0..<150 {
            let ids = (0..<4).map { _ in Int.random(in: 0..<30, using: &generator) }
            let answers = try await session.writeAll(
              ids.map { id in
                .put("/users/", "\(id)", #"{"n": \#(Int.random(in: 0..<40, using: &generator)), "m": \#(step)}"#)
              } + [.put("/other/", "\(writer)-\(step)", "1")])
            refused += answers.count { if case .failure(.duplicate) = $0 { true } else { false } }
            _ = try answers[4].get()
          }
          await session.close()
          return refused
        }
      }
      for number in 0..<40 { _ = try await toggling.change(Self.users, to: variants[number % 4]) }
      #expect(try await group.reduce(0, +) > 50)
    }
    #expect(try await toggling.page(CollectionPath(unchecked: "/other/")).count == 450)
    await toggling.close()
    let outside = try store.connect()
    let doubles = "SELECT count(*) - count(DISTINCT data ->> 'n') FROM document_rows WHERE collection = '/users/'"
    #expect(try outside.int64(doubles) == 0)
    outside.close()
    try store.closeAndCheck()
  }
}
