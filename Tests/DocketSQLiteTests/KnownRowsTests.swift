import DocketStore
import DocketTestSupport
import Testing

@testable import DocketSQLite

@Suite("What the writer knows by heart")
struct KnownRowsTests {
  @Test("is what stands in the tables, whatever others write and whatever is undone")
  func neverStale() async throws {
    let clock = TestClock()
    var options = SQLiteStoreOptions()
    options.historyDays = 36_500
    let store = try StoreFixture(options: options, clock: clock)
    let session = try store.session()
    let outside = try store.connect()
    var generator = SeededGenerator.forTest(named: "what the writer knows")
    /// The texts of each document in their order, "-" where it ended.
    var history: [String: [String]] = [:]
    func note(_ id: String, _ text: String) { history[id, default: []].append(text) }
    func current(_ id: String) -> String { history[id]?.last ?? "-" }
    for step in 0..<700 {
      let id = "\(Int.random(in: 0..<8, using: &generator))"
      let path = DocumentPath("/c/", id)
      let text = "{\"n\":\(step)}"
      switch Int.random(in: 0..<12, using: &generator) {
      case 0..<4:
        _ = try await session.write(.put(path, data: .init(string: text)))
        note(id, text)
      case 4:
        let outcome = try await session.write(.mergePatch(path, patch: .init(string: "{\"n\":\(step)}")))
        if outcome != .notFound { note(id, text) }
      case 5:
        try outside.execute("INSERT OR REPLACE INTO documents(collection, id, data) VALUES ('/c/', '\(id)', '\(text)')")
        note(id, text)
      case 6:
        try outside.execute("DELETE FROM documents WHERE collection = '/c/' AND id = '\(id)'")
        if current(id) != "-" { note(id, "-") }
      case 7:
        // Behind the door, where it has no revision: not supported, and still it is what the next write finds.
        try outside.execute("UPDATE document_rows SET data = '\(text)' WHERE collection = '/c/' AND id = '\(id)'")
        if current(id) != "-" {
          history[id]?.removeLast()
          note(id, text)
        }
        _ = try await session.write(.put(path, data: .init(string: text)))
        note(id, text)
      case 8:
        _ = try await session.write(
          Write.put(path, data: .init(string: text)).on(WriteTerms(isDryRun: true)))
      case 9:
        // A batch that is undone behind its writes.
        _ = try await session.transact(
          Transaction<Int>(.batch, bytes: 100, key: nil) { access in
            access.submit(.put(path, data: .init(string: text))) { _ in }
            access.submit(.delete(path)) { _ in }
            return TransactionResult(0, keepsWrites: false, kept: nil)
          })
      case 10:
        let outcome = try await session.write(.delete(path))
        if outcome != .notFound { note(id, "-") }
      default:
        #expect(try await session.text("/c/", id) ?? "-" == current(id), "step \(step)")
      }
    }
    for id in history.keys {
      #expect(try await session.text("/c/", id) ?? "-" == current(id))
      let kept = try outside.string(
        "SELECT group_concat(coalesce(before, '-'), ' ') FROM (SELECT before FROM changes WHERE id = '\(id)' ORDER BY sequence)"
      )
      let versions = ["-"] + (history[id] ?? []).dropLast()
      #expect(kept == versions.joined(separator: " "), "document \(id)")
    }
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test("Writes of one group build on each other, however little of them is known", arguments: [0, 4_000, 4 << 20])
  func groups(cacheBytes: Int) async throws {
    var options = SQLiteStoreOptions()
    options.documentCacheBytes = cacheBytes
    let store = try StoreFixture(options: options)
    let session = try store.session()
    var generator = SeededGenerator.forTest(named: "writes of one group")
    var history: [[String]] = Array(repeating: [], count: 12)
    for _ in 0..<20 {
      var writes: [Write] = []
      for step in 0..<100 {
        let number = Int.random(in: 0..<history.count, using: &generator)
        let path = DocumentPath("/c/", "\(number)")
        // Some are too large to wait.
        let text = "{\"n\":\(step),\"t\":\"\(String(repeating: "x", count: step % 17 == 0 ? 9_000 : 10))\"}"
        switch Int.random(in: 0..<10, using: &generator) {
        case 0:
          writes.append(.delete(path))
          if let last = history[number].last, last != "-" { history[number].append("-") }
        case 1:
          let exists = (history[number].last ?? "-") != "-"
          writes.append(Write.put(path, data: .init(string: text)).on(WriteTerms(condition: .exists)))
          if exists { history[number].append(text) }
        default:
          writes.append(.put(path, data: .init(string: text)))
          history[number].append(text)
        }
      }
      _ = try await session.writeAll(writes)
    }
    let outside = try store.connect()
    for (number, texts) in history.enumerated() {
      #expect(try await session.text("/c/", "\(number)") == texts.last.flatMap { $0 == "-" ? nil : $0 })
      let kept = try outside.string(
        "SELECT group_concat(coalesce(before, '-'), ' ') FROM (SELECT before FROM changes WHERE id = '\(number)' ORDER BY sequence)"
      )
      #expect(kept == (["-"] + texts.dropLast()).joined(separator: " "), "document \(number)")
    }
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test("An operator's trigger may write documents of its own, and change what is stored")
  func triggers() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    let outside = try store.connect()
    _ = try await session.put("/a/", "1", "1")
    try outside.execute(
      """
      CREATE TRIGGER louder AFTER UPDATE OF data ON document_rows WHEN new.data NOT LIKE '%!%' BEGIN
        UPDATE document_rows SET data = json_quote(new.data || '!') WHERE key = new.key;
      END
      """)
    _ = try await session.writeAll([.put("/a/", "1", "2"), .put("/a/", "1", "3"), .put("/b/", "1", "1")])
    _ = try await session.put("/a/", "1", "4")
    #expect(try await session.text("/a/", "1") == "\"4!\"")
    #expect(
      try outside.string("SELECT group_concat(before) FROM changes WHERE collection = '/a/'") == "1,\"2!\",\"3!\"")
    try outside.execute("DROP TRIGGER louder")
    _ = try await session.put("/a/", "1", "5")
    #expect(try outside.string("SELECT before FROM changes ORDER BY sequence DESC LIMIT 1") == "\"4!\"")
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }
}
