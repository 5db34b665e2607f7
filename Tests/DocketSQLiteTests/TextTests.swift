import DocketStore
import DocketTestSupport
import Foundation
import Logging
import NIOCore
import Testing

@testable import DocketSQLite

@Suite("Words in documents' texts")
struct TextTests {
  private static let notes = TextWords.notes

  private static func test(_ name: String, _ test: Filter.Test) -> Filter {
    .test(.value(FieldPath(unchecked: [name])), test)
  }

  @Test("are those of strings and of strings in arrays, and of nothing else")
  func texts() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    _ = try await session.writeAll([
      .put(
        "/notes/", "1", #"{"title": "Swift", "by": {"name": "Ada Lovelace"}, "tags": ["net", 7, ["deep"], "loop"]}"#),
      .put("/notes/", "2", #"{"title": {"x": "swift"}, "tags": "net work"}"#),
      .put("/notes/", "3", #"{"title": 5, "by": "ada", "rest": "swift", "tags": null}"#), .put("/notes/", "4", "[1]"),
      .put("/notes/", "5", #""swift""#),
      .put("/notes/", "6", #"{"title": "\u0053WIFT \u00e9t\u00c9 \ud83d\ude00 caf\u0065\u0301"}"#),
      .put("/other/", "1", #"{"title": "swift"}"#),
    ])
    try await session.setText(["title", "by.name", "tags"])
    #expect(try await session.found("swift") == "1 6")
    #expect(try await session.found("lovelace") == "1")
    #expect(try await session.found("loop AND net") == "1")
    #expect(try await session.found("net NOT loop") == "2")
    for nothing in ["7", "deep", "ada NOT lovelace", "x"] { #expect(try await session.found(nothing) == "") }
    #expect(try await session.found("ete AND \"café\"") == "6")
    #expect(try await session.found("\"by.name\" : ada") == "1")
    #expect(try await session.found("- title : swift") == "")
    #expect(try await session.found("^ net") == "1 2")
    #expect(try await session.found("lov*") == "1")
    await session.close()
    try store.checkTextIndex()
    try store.closeAndCheck()
  }

  @Test("are kept as the documents are, whoever writes them")
  func keeping() async throws {
    let clock = TestClock()
    let store = try StoreFixture(clock: clock)
    let session = try store.session()
    let outside = try store.connect()
    _ = try await session.put("/notes/", "0", #"{"title": "zero"}"#)
    try await session.setText(["title"])
    #expect(try await session.found("zero") == "0")
    _ = try await session.put("/notes/", "1", #"{"title": "one"}"#)
    _ = try await session.write(.mergePatch("/notes/", "1", #"{"title": "uno"}"#))
    #expect(try await session.found("one OR uno") == "1")
    #expect(try await session.found("one") == "")
    let id = try #require(try await session.write(.create(in: "/notes/", #"{"title": "posted"}"#)).path?.id)
    #expect(try await session.found("posted") == id)
    _ = try await session.write(.delete("/notes/", id))
    #expect(try await session.found("posted") == "")
    for keeps in [true, false] {
      _ = try await session.transact(
        Transaction<Int>(.batch, bytes: 100, key: nil) { access in
          access.submit(.put("/notes/", "b", "{\"title\": \"batch\(keeps)\"}")) { _ in }
          access.submit(.put("/notes/", "1", "{\"title\": \"uno batch\(keeps)\"}")) { _ in }
          access.submit(.delete("/notes/", "0")) { _ in }
          return TransactionResult(0, keepsWrites: keeps, kept: nil)
        })
    }
    #expect(try await session.found("batchtrue AND uno") == "1")
    #expect(try await session.found("batchfalse") == "")
    #expect(try await session.found("zero") == "")
    _ = try await session.write(
      Write.put("/notes/", "1", #"{"title": "dry"}"#).on(WriteTerms(isDryRun: true)))
    #expect(try await session.found("dry") == "")
    #expect(try await session.found("uno") == "1")
    _ = try await session.write(
      Write.put("/notes/", "2", #"{"title": "brief"}"#).on(WriteTerms(lifetime: .milliseconds(1_000))))
    #expect(try await session.found("brief") == "2")
    clock.milliseconds += 1_000
    #expect(try await session.found("brief") == "")
    #expect(try await session.count(Query(scope: .collection(Self.notes), text: "brief")) == 0)
    try await eventually { try outside.int64("SELECT count(*) FROM document_rows WHERE id = '2'") == 0 }
    // From sqlite3.
    try outside.execute("INSERT INTO documents(collection, id, data) VALUES ('/notes/', '3', '{\"title\": \"door\"}')")
    #expect(try await session.found("door") == "3")
    try outside.execute(
      "INSERT OR REPLACE INTO documents(collection, id, data) VALUES ('/notes/', '3', '{\"title\": \"gate\"}')")
    try outside.execute(
      "INSERT OR IGNORE INTO documents(collection, id, data) VALUES ('/notes/', '3', '{\"title\": \"wall\"}')")
    #expect(try await session.found("door OR wall") == "")
    #expect(try await session.found("gate") == "3")
    try outside.execute("UPDATE documents SET data = json_set(data, '$.title', 'window') WHERE id = '3'")
    #expect(try await session.found("gate") == "")
    #expect(try await session.found("window") == "3")
    try outside.execute("UPDATE documents SET id = '4' WHERE id = '3'")
    #expect(try await session.found("window") == "4")
    try outside.execute("UPDATE documents SET collection = '/other/' WHERE id = '4'")
    #expect(try await session.found("window") == "")
    try outside.execute("UPDATE documents SET collection = '/notes/', id = '5' WHERE id = '4'")
    #expect(try await session.found("window") == "5")
    try outside.execute("BEGIN; DELETE FROM documents WHERE id = '5'; ROLLBACK")
    #expect(try await session.found("window") == "5")
    try outside.execute("DELETE FROM documents WHERE id = '5'")
    #expect(try await session.found("window") == "")
    outside.close()
    await session.close()
    try await store.checkWords(["uno", "window", "batchtrue", "batchfalse", "zero", "brief"], of: ["title"])
    try store.closeAndCheck()
  }

  @Test("are no longer searched when the setting is gone, and are searched anew when others are named")
  func settings() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    _ = try await session.put("/notes/", "1", #"{"a": "one", "b": "two"}"#)
    await #expect(throws: StoreError.noTextIndex(Self.notes)) { try await session.found("one") }
    try await session.setText(["a"])
    #expect(try await session.found("one") == "1")
    #expect(try await session.found("two") == "")
    try await session.setText(["b"])
    #expect(try await session.found("one") == "")
    #expect(try await session.found("two") == "1")
    _ = try await session.change(Self.notes, to: nil)
    await #expect(throws: StoreError.noTextIndex(Self.notes)) { try await session.found("two") }
    let outside = try store.connect()
    #expect(try outside.int64("SELECT count(*) FROM sqlite_schema WHERE name LIKE '%notes%'") == 0)
    outside.close()
    _ = try await session.put("/notes/", "1", #"{"a": "three"}"#)
    await session.close()
    try store.closeAndCheck()
  }

  @Test("of collections with any names are told apart")
  func names() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    let names = [
      "/notes/", "/Notes/", "/it's \"q\" 100%/", "/a/ text/", "/größe/", "/x/y/", "/[b]/", "/notes/ text_data/",
    ]
    for (number, name) in names.enumerated() {
      _ = try await session.put(name, "1", "{\"title\": \"word\(number)\", \"key\": \"id\", \"Title2\": \"b\"}")
      try await session.setText(
        ["title", "key", "id", "data", "collection", "value", "type", "expires_at", "a b", "x'y", "unindexed"],
        of: CollectionPath(unchecked: name))
    }
    for (number, name) in names.enumerated() {
      let collection = CollectionPath(unchecked: name)
      #expect(try await session.found("word\(number) AND key : id", in: collection) == "1")
      _ = try await session.put(name, "1", "{\"title\": \"next\(number)\", \"value\": [\"v\"]}")
      #expect(try await session.found("next\(number) AND value : v", in: collection) == "1")
      #expect(try await session.found("word\(number)", in: collection) == "")
      for other in names.indices where other != number {
        #expect(try await session.found("next\(other) OR word\(other)", in: collection) == "")
      }
    }
    await session.close()
    try store.closeAndCheck()
    let file = try DatabaseFile.open(store.path, busyTimeoutMilliseconds: 0)
    #expect(file.foreignObjects == [] && file.missingObjects == [])
  }

  @Test(
    "are searched again after a restart, and at once, whatever was dropped or changed by hand",
    arguments: [
      "", "DROP TABLE \"/notes/ text\"", "DROP TRIGGER \"/notes/ text insert\"", "DROP TRIGGER \"/notes/ text update\"",
      "DROP TRIGGER \"/notes/ text delete\"",
      "DROP TABLE \"/notes/ text\"; CREATE VIRTUAL TABLE \"/notes/ text\" USING fts5(title)",
      "DROP TABLE \"/notes/ text\"; CREATE TABLE \"/notes/ text\"(title)",
      """
      DROP TRIGGER "/notes/ text update"; CREATE TRIGGER "/notes/ text update" AFTER UPDATE ON document_rows BEGIN SELECT 1; END
      """,
    ], [true, false])
  func mending(damage: String, restarts: Bool) async throws {
    let store = try StoreFixture()
    var session = try store.session()
    try await session.setText(["title"])
    for number in 0..<5 { _ = try await session.put("/notes/", "\(number)", "{\"title\": \"w\(number)\"}") }
    let outside = try store.connect()
    // What is written past the index is in no index.
    let isTableThere = !damage.contains("DROP TABLE")
    try outside.execute(damage)
    if isTableThere, !damage.isEmpty {
      try outside.execute(
        """
        INSERT INTO documents(collection, id, data) VALUES ('/notes/', 'new', '{"title": "fresh"}');
        DELETE FROM documents WHERE id = '1';
        UPDATE documents SET data = '{"title": "changed"}' WHERE id = '2'
        """)
    }
    if restarts {
      await session.close()
      outside.close()
      try store.restart()
      session = try store.session()
    }
    _ = try await session.put("/notes/", "3", #"{"title": "last"}"#)
    #expect(try await session.found("last") == "3")
    await session.close()
    outside.close()
    try await store.checkWords(["w0", "w1", "w2", "w3", "w4", "fresh", "changed", "last"], of: ["title"])
    try store.closeAndCheck()
    let file = try DatabaseFile.open(store.path, busyTimeoutMilliseconds: 0)
    #expect(file.foreignObjects == [] && file.missingObjects == [])
  }

  @Test("are cut anew when another SQLite opens the file")
  func otherSQLite() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    try await session.setText(["title"])
    _ = try await session.put("/notes/", "1", #"{"title": "word"}"#)
    await session.close()
    store.repository.close()
    let outside = try store.connect()
    try outside.execute(
      """
      DELETE FROM "/notes/ text";
      UPDATE properties SET value = '3.0.0' WHERE name = 'sqlite_version'
      """)
    outside.close()
    try store.restart()
    try await store.checkWords(["word"], of: ["title"])
    try store.closeAndCheck()
  }

  @Test("come with a restored .dump, once it is marked as the server says")
  func dump() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    try await session.setText(["title", "by.name"])
    for number in 0..<50 { _ = try await session.put("/notes/", "\(number)", "{\"title\": \"it's w\(number)\"}") }
    _ = try await session.write(.delete("/notes/", "3"))
    await session.close()
    store.repository.close()
    let directory = (store.path as NSString).deletingLastPathComponent
    #expect(try SQLiteCommand.shell("sqlite3 docket.db .dump | sqlite3 restored.db", in: directory).error == "")
    let restored = directory + "/restored.db"
    let refusal = #expect(throws: OpeningError.self) { try DatabaseFile.open(restored, busyTimeoutMilliseconds: 0) }
    let advice = try #require(refusal?.description.components(separatedBy: "run: ").last)
    #expect(try SQLiteCommand.shell(advice, in: directory).status == 0)
    #expect(
      try SQLiteCommand.shell("mv restored.db docket.db; rm -f docket.db-wal docket.db-shm", in: directory).status == 0)
    do {
      let file = try DatabaseFile.open(store.path, busyTimeoutMilliseconds: 0)
      #expect(file.foreignObjects == [] && file.missingObjects == [])
    }
    try store.restart()
    let again = try store.session()
    #expect(try await again.found("\"it's w7\"") == "7")
    _ = try await again.put("/notes/", "7", #"{"title": "new"}"#)
    await again.close()
    try await store.checkWords(["w1", "w3", "w7", "new"], of: ["title", "by.name"])
    try store.closeAndCheck()
  }

  @Test("A full disk leaves them as the documents are, wherever it stops a write")
  func fullDisk() async throws {
    var options = SQLiteStoreOptions()
    options.databaseBytes = 1 << 20
    options.historyDays = 0
    options.historyFloorBytes = 0
    let store = try StoreFixture(options: options)
    let session = try store.session()
    var generator = SeededGenerator.forTest(named: "words and a full disk")
    func text() -> String {
      let words = (0..<Int.random(in: 1...60, using: &generator)).map { _ in
        "w\(Int.random(in: 0..<300, using: &generator))"
      }
      return "{\"title\": \"\(words.joined(separator: " "))\"}"
    }
    _ = try await session.writeAll((0..<2_900).map { .put("/other/", "\($0)", text()) })
    _ = try await session.writeAll((0..<800).map { .put("/notes/", "\($0)", text()) })
    await #expect(throws: StoreError.full) { try await session.setText(["title"]) }
    await #expect(throws: StoreError.noTextIndex(Self.notes)) { try await session.found("w1") }
    _ = try await session.writeAll((0..<2_500).map { .delete("/other/", "\($0)") })
    try await session.setText(["title"])
    var failures = 0
    for round in 0..<120 {
      let ids = (0..<Int.random(in: 1...80, using: &generator)).map { _ in Int.random(in: 0..<3_000, using: &generator)
      }
      let writes: [Write] = ids.map { round % 4 == 3 ? .delete("/notes/", "\($0)") : .put("/notes/", "\($0)", text()) }
      for result in try await session.writeAll(writes) {
        if case .failure(let error) = result {
          #expect(error == .full)
          failures += 1
        }
      }
      if round % 30 == 29 {
        try await store.checkWords(["w1", "w7", "w299"], of: ["title"])
        let ids = try await session.page(Self.notes).map(\.path.id)
        _ = try await session.writeAll(ids.prefix(300).map { .delete("/notes/", $0) })
      }
    }
    #expect(failures > 0)
    await session.close()
    try await store.checkWords(["w1", "w7", "w299"], of: ["title"])
    try store.closeAndCheck()
  }

  @Test("What is no JSON, written past the door, holds no words and is in nobody's way")
  func notJSON() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    let outside = try store.connect()
    let insert = "INSERT INTO document_rows(collection, id, revision, created_at, updated_at, data) VALUES"
    try outside.execute("\(insert) ('/notes/', 'x', 1, 1, 1, '{\"title\": \"word')")
    try await session.setText(["title"])
    try outside.execute("\(insert) ('/notes/', 'y', 1, 1, 1, 'word')")
    try outside.execute("UPDATE document_rows SET data = '{' WHERE id = 'y'")
    _ = try await session.put("/notes/", "1", #"{"title": "word"}"#)
    #expect(try await session.found("word") == "1")
    _ = try await session.put("/notes/", "x", #"{"title": "mended"}"#)
    #expect(try await session.found("mended") == "x")
    _ = try await session.write(.delete("/notes/", "y"))
    outside.close()
    await session.close()
    try await store.checkWords(["word", "mended"], of: ["title"])
    try store.closeAndCheck(but: [.chain])
  }

  @Test("The writer still knows by heart what it wrote where only they have triggers")
  func knownRows() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    try await session.setText(["title"])
    let connection = try store.connect()
    let rules = try CollectionRules(connection)
    try rules.read()
    #expect(try rules.areTablesSimple())
    try connection.execute("CREATE TRIGGER \"/notes/ text other\" AFTER UPDATE ON document_rows BEGIN SELECT 1; END")
    #expect(try !rules.areTablesSimple())
    try connection.execute("DROP TRIGGER \"/notes/ text other\"")
    #expect(try rules.areTablesSimple())
    try connection.execute(
      """
      DROP TRIGGER "/notes/ text delete";
      CREATE TRIGGER "/notes/ text delete" AFTER DELETE ON document_rows BEGIN SELECT 1; END
      """)
    #expect(try !rules.areTablesSimple())
    connection.close()
    await session.close()
    try store.closeAndCheck(but: [.index])
  }

  @Test("A field that FTS5 cannot have makes no index, and nothing else either")
  func impossibleField() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    await #expect(throws: StoreError.indexNotMade(reason: "vtable constructor failed: /notes/ text")) {
      try await session.setText(["title", "/notes/ text"])
    }
    _ = try await session.put("/notes/", "1", #"{"title": "word"}"#)
    try await session.setText(["title"])
    #expect(try await session.found("word") == "1")
    await session.close()
    try store.closeAndCheck()
  }

  @Test("A write that a trigger refuses leaves none behind")
  func refusedWrites() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    try await session.setText(["title"])
    let outside = try store.connect()
    try outside.execute(
      """
      CREATE TRIGGER zz AFTER INSERT ON document_rows WHEN new.data LIKE '%bad%' BEGIN SELECT raise(ABORT, 'no'); END;
      CREATE TRIGGER zzz AFTER UPDATE ON document_rows WHEN new.data LIKE '%bad%' BEGIN SELECT raise(ABORT, 'no'); END
      """)
    let results = try await session.writeAll([
      .put("/notes/", "1", #"{"title": "one"}"#), .put("/notes/", "2", #"{"title": "two bad"}"#),
      .put("/notes/", "1", #"{"title": "three bad"}"#), .put("/notes/", "4", #"{"title": "four"}"#),
    ])
    #expect(results[1] == .failure(.refused(reason: "no")) && results[2] == .failure(.refused(reason: "no")))
    #expect(try await session.found("bad") == "")
    #expect(try await session.found("one") == "1")
    outside.close()
    await session.close()
    try await store.checkWords(["one", "two", "three", "four", "bad"], of: ["title"])
    try store.closeAndCheck()
  }
}
