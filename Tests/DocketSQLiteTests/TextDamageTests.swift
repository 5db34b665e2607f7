import DocketStore
import DocketTestSupport
import Testing

@testable import DocketSQLite

@Suite("Long texts, and damage to what keeps them")
struct TextDamageTests {
  @Test("a document with very many matches has a snippet like any other")
  func manyMatches() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    try await session.setText(["title", "body"])
    // FTS5's own snippet would take a minute and more, its highlight some seconds.
    let body = String(repeating: "word ", count: 150_000)
    _ = try await session.writeAll([
      .put(DocumentPath("/notes/", "1"), data: .init(string: #"{"title": "x", "body": "\#(body)"}"#)),
      .put(
        DocumentPath("/notes/", "2"),
        data: .init(string: #"{"title": "\#(String(repeating: "é", count: 5_000)) Word of mouth", "body": "y"}"#)),
    ])
    let query = Query(scope: .collection(TextWords.notes), text: "word", order: [Query.SortKey(.id)])
    let snippets = try await session.search(query).matches.map(\.snippet)
    #expect(snippets[0] == "x…")
    #expect(snippets[1] == "…**Word** of mouth")
    await session.close()
    try store.closeAndCheck()
  }

  @Test(
    "pieces of long texts begin and end with whole words, and every mark is closed",
    arguments: [
      ("none", nil), ("\u{2}a\u{3}", "**a**"), ("x \u{2}a\u{3} y", "x **a** y"),
      (String(repeating: "ab ", count: 50) + "\u{2}c\u{3} d", "…" + String(repeating: "ab ", count: 19) + "**c** d"),
      ("\u{2}" + String(repeating: "é", count: 300), "**" + String(repeating: "é", count: 99) + "**…"),
    ] as [(String, String?)])
  func pieces(_ text: String, _ piece: String?) {
    let bytes = Array(text.utf8)
    #expect(bytes.withUnsafeBytes { SnippetCut.snippet($0) } == piece)
  }

  @Test(
    "what somebody has done to the tables of FTS5 is mended by the next start",
    arguments: [
      "DELETE FROM \"/notes/ text_data\"", "DROP TABLE \"/notes/ text_data\"", "DROP TABLE \"/notes/ text_config\"",
      "DELETE FROM \"/notes/ text_config\"", "DROP TABLE \"/notes/ text_idx\"", "DROP TABLE \"/notes/ text_docsize\"",
      "DROP TABLE \"/notes/ text_content\"", "DROP TABLE \"/notes/ text\"",
    ])
  func damage(_ statement: String) async throws {
    let store = try StoreFixture()
    let session = try store.session()
    _ = try await session.put("/notes/", "1", #"{"title": "one"}"#)
    try await session.setText(["title"])
    await session.close()
    store.repository.close()
    let outcome = try SQLiteCommand.run(store.path, statement)
    #expect(outcome.status == 0, "\(outcome.error)")
    try store.restart()
    let second = try store.session()
    _ = try await second.put("/notes/", "2", #"{"title": "two"}"#)
    #expect(try await second.found("one OR two") == "1 2")
    await second.close()
    try store.checkTextIndex()
    try store.closeAndCheck()
  }

  @Test("what settings need is not made by a store that closes, and nothing of it stays")
  func closing() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    _ = try await session.writeAll(
      (0..<5_000).map { .put(DocumentPath("/notes/", "\($0)"), data: .init(string: #"{"title": "some words"}"#)) })
    store.repository.progress.stop()
    for settings in [
      CollectionSettings(text: [FieldPath(unchecked: ["title"])]),
      CollectionSettings(indexes: [CollectionIndex([.init(name: "title")])]),
    ] {
      let error = await #expect(throws: StoreError.self) {
        try await session.change(TextWords.notes, to: settings)
      }
      #expect(error == .closed)
    }
    #expect(try await session.settings(of: TextWords.notes) == nil)
    #expect(try await session.put("/notes/", "1", "1") != nil)
    await session.close()
    try store.closeAndCheck()
    let file = try DatabaseFile.open(store.path)
    #expect(file.foreignObjects == [])
  }
}
