import DocketStore
import DocketTestSupport
import NIOCore
import Testing

@testable import DocketSQLite

@Suite("Words in documents' texts, at random")
struct TextRandomTests {
  private static let vocabulary = ["alpha", "beta", "gamma", "delta", "omega", "x1", "q", "swift"]

  private static func text(_ generator: inout SeededGenerator) -> String {
    func words() -> String {
      let separators = [" ", ", ", "-", "\\n", ". ", "'"]
      return (0..<Int.random(in: 0...4, using: &generator)).map { _ in
        let word = vocabulary.randomElement(using: &generator) ?? "q"
        return (Bool.random(using: &generator) ? word.uppercased() : word)
          + (separators.randomElement(using: &generator) ?? " ")
      }.joined()
    }
    switch Int.random(in: 0..<8, using: &generator) {
    case 0: return "\(Int.random(in: 0..<9, using: &generator))"
    case 1: return "{\"tags\": [\"\(words())\", 1, null, \"\(words())\"], \"title\": {\"a\": \"\(words())\"}}"
    case 2: return "{\"rest\": \"\(words())\"}"
    default: return "{\"title\": \"\(words())\", \"tags\": \"\(words())\", \"rest\": \"\(words())\"}"
    }
  }

  @Test("find the documents whose texts hold them, whatever was written, undone, dropped and restarted")
  func writes() async throws {
    let clock = TestClock()
    let store = try StoreFixture(clock: clock)
    var session = try store.session()
    var outside = try store.connect()
    var generator = SeededGenerator.forTest(named: "words at random")
    var fields = ["title", "tags"]
    try await session.setText(fields)
    for step in 0..<600 {
      let id = "\(Int.random(in: 0..<12, using: &generator))"
      let path = DocumentPath(Int.random(in: 0..<5, using: &generator) == 0 ? "/other/" : "/notes/", id)
      let text = Self.text(&generator)
      let place = "collection = '\(path.collection)' AND id = '\(id)'"
      let row = "('\(path.collection)', '\(id)', '\(text.replacing("'", with: "''"))')"
      switch Int.random(in: 0..<24, using: &generator) {
      case 0..<4: _ = try await session.write(.put(path, data: .init(string: text)))
      case 4..<7:
        let ids = (0..<Int.random(in: 2..<60, using: &generator)).map { _ in
          "\(Int.random(in: 0..<20, using: &generator))"
        }
        _ = try await session.writeAll(ids.map { .put("/notes/", $0, Self.text(&generator)) })
      case 7: _ = try await session.write(.mergePatch(path, patch: .init(string: text)))
      case 8: _ = try await session.write(.create(in: path.collection, data: .init(string: text)))
      case 9: _ = try await session.write(.delete(path))
      case 10..<12:
        let keeps = Bool.random(using: &generator)
        _ = try await session.transact(
          Transaction<Int>(.batch, bytes: 100, key: nil) { access in
            access.submit(.put(path, data: .init(string: text))) { _ in }
            access.submit(.delete("/notes/", "3")) { _ in }
            access.submit(.put("/notes/", "4", text)) { _ in }
            access.submit(.put("/notes/", "3", text)) { _ in }
            return TransactionResult(0, keepsWrites: keeps, kept: nil)
          })
      case 12: _ = try await session.write(Write.put(path, data: .init(string: text)).on(WriteTerms(isDryRun: true)))
      case 13:
        let lifetime = Int64.random(in: 1...50, using: &generator)
        _ = try await session.write(
          Write.put(path, data: .init(string: text)).on(WriteTerms(lifetime: .milliseconds(lifetime))))
      case 14: clock.milliseconds += Int64.random(in: 1...60, using: &generator)
      case 15: try outside.execute("INSERT OR REPLACE INTO documents(collection, id, data) VALUES \(row)")
      case 16: try outside.execute("INSERT OR IGNORE INTO documents(collection, id, data) VALUES \(row)")
      case 17: try outside.execute("DELETE FROM documents WHERE \(place)")
      case 18:
        try outside.execute("UPDATE documents SET data = '\(text.replacing("'", with: "''"))' WHERE id = '\(id)'")
      case 19:
        try outside.execute(
          "UPDATE documents SET collection = '/notes/', id = 'moved' || revision WHERE \(place)")
      case 20:
        try outside.execute(
          "BEGIN; INSERT OR REPLACE INTO documents(collection, id, data) VALUES \(row); DELETE FROM documents WHERE id = '1'; ROLLBACK"
        )
      case 21 where step % 3 == 0:
        fields = fields.count == 2 ? ["rest", "title", "tags"] : ["title", "tags"]
        try await session.setText(fields)
      case 22 where step % 2 == 0:
        outside.close()
        await session.close()
        try store.restart()
        (session, outside) = (try store.session(), try store.connect())
      case 23 where step % 4 == 0:
        try outside.execute("DROP TABLE \"/notes/ text\"")
        _ = try await session.put("/notes/", "0", text)
        // The one who dropped it has to look again; a trigger that misses its table does not make SQLite do so.
        _ = try outside.int64("SELECT count(*) FROM sqlite_schema")
      default: break
      }
      if step % 40 == 39 { try await store.checkWords(Self.vocabulary, of: fields) }
    }
    outside.close()
    await session.close()
    try await store.checkWords(Self.vocabulary, of: fields)
    try store.closeAndCheck()
  }
}
