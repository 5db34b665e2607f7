import DocketStore
import DocketTestSupport
import Foundation
import Testing

@testable import DocketSQLite

/// The words of texts as a reader would tell them apart, to hold against what FTS5 finds.
enum TextWords {
  static let notes = CollectionPath(unchecked: "/notes/")

  /// Runs of ASCII letters and digits, in small letters.
  static func words(of text: String) -> [String] {
    text.split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }.map { $0.lowercased() }
  }

  /// The words of some fields of a document: of a string, or of the strings in an array.
  static func words(of fields: [FieldPath], in document: Document) throws -> Set<String> {
    let json = try JSONSerialization.jsonObject(
      with: Data(document.data.readableBytesView), options: .fragmentsAllowed)
    var found: Set<String> = []
    for field in fields {
      let value = field.segments.reduce(Optional(json)) { ($0 as? [String: Any])?[$1] }
      let texts = (value as? String).map { [$0] } ?? (value as? [Any] ?? []).compactMap { $0 as? String }
      for text in texts { found.formUnion(words(of: text)) }
    }
    return found
  }
}

extension SessionDriver {
  func setText(_ fields: [String], of collection: CollectionPath = TextWords.notes) async throws {
    _ = try await change(
      collection, to: CollectionSettings(text: fields.map { CollectionIndex.Key(name: $0).path }))
  }

  /// The ids of what is found, in order, with spaces between them.
  func found(
    _ expression: String, in collection: CollectionPath = TextWords.notes, filter: Filter = .everything,
    order: [Query.SortKey] = [Query.SortKey(.id)]
  ) async throws -> String {
    try await search(Query(scope: .collection(collection), filter: filter, text: expression, order: order))
      .matches.map(\.document.path.id).joined(separator: " ")
  }
}

extension StoreFixture {
  /// Checks that each word finds the documents whose texts hold it, and that FTS5 finds its index sound.
  func checkWords(
    _ words: [String], of fields: [String], sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let session = try session()
    let paths = fields.map { CollectionIndex.Key(name: $0).path }
    let documents = try await session.page(TextWords.notes)
    var wordsByID: [String: Set<String>] = [:]
    for document in documents { wordsByID[document.path.id] = try TextWords.words(of: paths, in: document) }
    for word in words {
      let wanted = wordsByID.filter { $0.value.contains(word) }.keys.sorted()
      let query = Query(scope: .collection(TextWords.notes), text: word)
      let found = try await session.search(query).matches.map(\.document.path.id).sorted()
      #expect(found == wanted, "\(word)", sourceLocation: sourceLocation)
      #expect(try await session.count(query) == wanted.count, sourceLocation: sourceLocation)
    }
    await session.close()
    try checkTextIndex(sourceLocation: sourceLocation)
  }

  func checkTextIndex(sourceLocation: SourceLocation = #_sourceLocation) throws {
    let outside = try connect()
    defer { outside.close() }
    #expect(throws: Never.self, sourceLocation: sourceLocation) {
      try outside.execute("INSERT INTO \"/notes/ text\"(\"/notes/ text\") VALUES ('integrity-check')")
    }
    let missing = try outside.int64(
      """
      SELECT (SELECT count(*) FROM document_rows WHERE collection = '/notes/') - (SELECT count(*) FROM "/notes/ text")
      """)
    #expect(missing == 0, sourceLocation: sourceLocation)
  }
}
