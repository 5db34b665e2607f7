import DocketStore
import DocketTestSupport
import NIOCore
import Testing

@testable import DocketSQLite

@Suite("What a search for words finds")
struct TextOrderTests {
  private static let notes = TextWords.notes

  private static func key(_ name: String, isDescending: Bool = false) -> Query.SortKey {
    Query.SortKey(.value(FieldPath(unchecked: [name])), isDescending: isDescending)
  }

  /// Forty documents that hold `word` from 0 to 4 times, among other words.
  private static func fill(_ session: SessionDriver) async throws {
    _ = try await session.writeAll(
      (0..<40).map { number in
        let words = Array(repeating: "word", count: number % 5) + ["other", "things", "n\(number)"]
        return .put("/notes/", "\(number)", "{\"title\": \"\(words.joined(separator: " "))\", \"n\": \(number)}")
      })
    try await session.setText(["title"])
  }

  @Test("comes the best first, and what fits as well by its id")
  func ranking() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    try await Self.fill(session)
    let (matches, report) = try await session.search(Query(scope: .collection(Self.notes), text: "word"))
    #expect(report == QueryReport(index: ["$text"], isOrdered: false, scanned: 32))
    let scores = matches.compactMap(\.score)
    #expect(scores.count == 32 && scores == scores.sorted(by: >) && Set(scores).count == 4)
    let wanted = (0..<40).filter { $0 % 5 > 0 }
      .sorted { ($1 % 5, "\($0)") < ($0 % 5, "\($1)") }.map(String.init)
    #expect(matches.map(\.document.path.id) == wanted)
    #expect(matches[0].snippet == "**word** **word** **word** **word** other things n14")
    await session.close()
    try store.closeAndCheck()
  }

  @Test("comes in pages, each document once", arguments: [1, 3, 7, 40], [true, false])
  func pages(limit: Int, isRanked: Bool) async throws {
    let store = try StoreFixture()
    let session = try store.session()
    try await Self.fill(session)
    let keys = isRanked ? [] : [Self.key("n", isDescending: true)]
    var query = Query(scope: .collection(Self.notes), text: "word OR n10", order: keys, limit: limit)
    var found: [String] = []
    while true {
      let page = try await session.search(query).matches
      #expect(page.count <= limit && page.allSatisfy { ($0.score != nil) == isRanked && $0.snippet.contains("**") })
      found += page.map(\.document.path.id)
      guard let last = page.last else { break }
      query.after =
        last.score.map { Query.Position(score: $0, path: last.document.path) }
        ?? QueryOrder(keys).position(of: last.document)
    }
    query.after = nil
    query.limit = nil
    #expect(try await session.search(query).matches.map(\.document.path.id) == found)
    #expect(Set(found).count == 33 && found.count == 33)
    if !isRanked { #expect(found == found.sorted { Int($0) ?? 0 > Int($1) ?? 0 }) }
    await session.close()
    try store.closeAndCheck()
  }

  @Test("meets the other conditions too, and is counted and visited without an order")
  func conditions() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    try await Self.fill(session)
    let few = Filter.test(.value(FieldPath(unchecked: ["n"])), .less(.number(.init(10))))
    #expect(try await session.found("word", filter: few, order: [Self.key("n")]) == "1 2 3 4 6 7 8 9")
    var query = Query(scope: .collection(Self.notes), filter: few, text: "word", order: nil, scanLimit: 1)
    #expect(try await session.count(query) == 8)
    let (documents, report) = try await session.answer(to: query)
    #expect(documents.map(\.path.id).sorted() == ["1", "2", "3", "4", "6", "7", "8", "9"])
    #expect(report.index == ["$text"] && report.unindexed == 0)
    query.order = []
    query.limitBytes = 1
    #expect(try await session.search(query).matches.count == 2)
    await session.close()
    try store.closeAndCheck()
  }

  @Test("is cut where a text is long, around what fits best, and is text whatever stands in the document")
  func snippets() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    let many = (0..<100).map { "a\($0)" }.joined(separator: " ")
    _ = try await session.writeAll([
      .put("/notes/", "1", "{\"title\": \"\(many) word \(many)\"}"),
      .put("/notes/", "2", #"{"title": "\ud800 \"quoted\" \n**word** \u0007 \u00e9"}"#),
      .put("/notes/", "3", #"{"title": "before \u0000 word"}"#),
    ])
    try await session.setText(["title"])
    let snippets = try await session.search(
      Query(scope: .collection(Self.notes), text: "word", order: [Query.SortKey(.id)])
    ).matches.map(\.snippet)
    #expect(snippets.count == 2)
    #expect(snippets[0].hasPrefix("…a") && snippets[0].hasSuffix("…") && snippets[0].contains(" **word** "))
    #expect(snippets[0].split(separator: " ").count == 24)
    #expect(snippets[1].contains("\"quoted\" \n****word**** \u{7} é"))
    await session.close()
    try store.closeAndCheck()
  }

  @Test("shows its pieces at once, however many words begin so")
  func manyWords() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    for start in 0..<10 {
      _ = try await session.writeAll(
        (0..<400).map { number in
          let words = (0..<25).map { "a\(start)x\(number)y\($0)" }.joined(separator: " ")
          return .put("/notes/", "\(start * 400 + number)", "{\"title\": \"\(words)\"}")
        })
    }
    try await session.setText(["title"])
    let rare = Query(scope: .collection(Self.notes), text: "a1*", limit: 1)
    let all = Query(scope: .collection(Self.notes), text: "a*", limit: 1_000)
    func seconds(_ query: Query) async throws -> Double {
      var least = Double.infinity
      for _ in 0..<3 {
        let start = ContinuousClock.now
        _ = try await session.search(query)
        least = min(least, (ContinuousClock.now - start) / .seconds(1))
      }
      return least
    }
    // Ten times as many match; if each were looked for by itself, it would be thousands.
    let (one, many) = (try await seconds(rare), try await seconds(all))
    #expect(many < 300 * one, "\(one) s and \(many) s")
    #expect(try await session.search(all).matches.allSatisfy { $0.snippet.hasPrefix("**a") })
    await session.close()
    try store.closeAndCheck()
  }

  @Test(
    "An expression that is none is refused with what FTS5 says, and changes nothing",
    arguments: [
      "\"", "'; DROP TABLE documents; --", "nope : word", "NEAR(word", "*", "*reads", "*id", "word AND", "a OR b NOT",
      " ", ":", "title:", "word-other", "title : (", "{title nope} : word", String(repeating: "(", count: 2_000),
      String(repeating: "(", count: 1_000) + "a" + String(repeating: ")", count: 1_000), "\"a\" \"b", "a'b", "1.5",
    ])
  func invalid(expression: String) async throws {
    let store = try StoreFixture()
    let session = try store.session()
    try await Self.fill(session)
    let before = try await session.status().revision
    let query = Query(scope: .collection(Self.notes), text: expression)
    var reasons: [String] = []
    for ask in [
      { _ = try await session.search(query) }, { _ = try await session.count(query) },
      { _ = try await session.answer(to: query) },
    ] {
      do {
        try await ask()
        Issue.record("it was taken")
      } catch StoreError.invalidText(let reason) {
        reasons.append(reason)
      }
    }
    #expect(reasons.count == 3)
    for reason in reasons {
      #expect(
        reason.hasPrefix("fts5: ") || reason.hasPrefix("no such column: ") || reason == "unterminated string",
        "\(reason)")
    }
    #expect(try await session.status().revision == before)
    #expect(try await session.found("n7") == "7")
    await session.close()
    try store.checkTextIndex()
    try store.closeAndCheck()
  }

  @Test(
    "An expression that is odd is taken",
    arguments: [
      "\"\"", "\"!!!\"", "word*", "^word", "^ word NOT other", "title : word", "TITLE : word", "- title : word",
      "NEAR(word other, 3)", "word + other", "日本", "\"'; DROP TABLE documents\"", "{title} : word", "é",
      Array(repeating: "word", count: 800).joined(separator: " "),
      Array(repeating: "a", count: 1_000).joined(separator: " OR "), String(repeating: "x", count: 4_096),
    ])
  func odd(expression: String) async throws {
    let store = try StoreFixture()
    let session = try store.session()
    try await Self.fill(session)
    let query = Query(scope: .collection(Self.notes), text: expression)
    let found = try await session.search(query).matches.count
    #expect(try await session.count(query) == found)
    await session.close()
    try store.closeAndCheck()
  }

  @Test("Whatever is looked for, it is found and counted alike, or no expression")
  func anything() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    try await Self.fill(session)
    var generator = SeededGenerator.forTest(named: "any expression")
    let pieces = [
      "word", "other", "n1", "things", "title", "nope", "AND", "OR", "NOT", "NEAR", "(", ")", "{", "}", ":", "\"", "'",
      "*",
      "^", "-", "+", ",", "3", " ", " ", " ", ";", "é", "日", "\\", "/", "\u{1}", "\u{7F}", "\n", "rank", "rowid",
    ]
    var taken = 0
    for _ in 0..<1_500 {
      let expression = (0..<Int.random(in: 1...8, using: &generator))
        .map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
      let query = Query(scope: .collection(Self.notes), text: expression)
      do {
        let found = try await session.search(query).matches.count
        #expect(try await session.count(query) == found, "\(expression)")
        taken += 1
      } catch StoreError.invalidText {}
    }
    #expect(taken > 50)
    await session.close()
    try store.checkTextIndex()
    try store.closeAndCheck()
  }

  @Test("A search ends when nobody waits for it, and at its deadline")
  func limits() async throws {
    var options = SQLiteStoreOptions()
    options.queryDeadlineMilliseconds = 1
    let store = try StoreFixture(options: options)
    let session = try store.session()
    let words = Array(repeating: "word", count: 2_000).joined(separator: " ")
    for start in [0, 100, 200] {
      _ = try await session.writeAll(
        (start..<start + 100).map { .put("/notes/", "\($0)", "{\"title\": \"\(words) n\($0)\"}") })
    }
    try await session.setText(["title"])
    let query = Query(scope: .collection(Self.notes), text: "word")
    await #expect(throws: StoreError.deadlineExceeded) { try await session.search(query) }
    let cancellation = QueryCancellation()
    cancellation.cancel()
    let rare = Query(scope: .collection(Self.notes), text: "n7")
    await #expect(throws: StoreError.deadlineExceeded) {
      try await session.search(rare, cancellation: cancellation)
    }
    await session.close()
    try store.closeAndCheck()
  }
}
