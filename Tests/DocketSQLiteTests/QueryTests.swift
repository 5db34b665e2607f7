import DocketJSON
import DocketStore
import DocketTestSupport
import NIOCore
import Testing

@testable import DocketSQLite

@Suite("Queries on SQLite")
struct QueryTests {
  @Test(
    "give what a look at every document gives, in the same order, whatever the page and the indexes",
    arguments: [[], [["f"], ["-g"]], [["f", "-g"], ["h", "f"]], [["-f", "-g"], ["g", "f", "h"]]])
  func random(indexes: [[String]]) async throws {
    let store = try StoreFixture()
    let session = try store.session()
    var generator = SeededGenerator.forTest(named: "queries on SQLite")
    let values = [
      "1", "1.0", "2", "-3", "10e-1", "9007199254740993", "9007199254740992.0", "1e400", "null", "true", "false",
      "\"a\"",
      "\"a\\u0000b\"", "\"\\u00e9\"", "\"é\"", "[1]", "{\"x\":1}", "\"\"", "0.1", "\"b\"",
    ]
    var writes: [Write] = []
    for number in 0..<300 {
      let collection = ["/c/", "/c/1/d/", "/e/"].randomElement(using: &generator) ?? "/c/"
      var members: [String] = []
      for key in ["f", "g", "h", "f"] where Int.random(in: 0..<4, using: &generator) > 0 {
        members.append("\"\(key)\": \(values.randomElement(using: &generator) ?? "1")")
      }
      writes.append(
        .put(DocumentPath(collection, "\(number)"), data: .init(string: "{\(members.joined(separator: ", "))}")))
    }
    _ = try await session.writeAll(writes)
    let settings = CollectionSettings(
      indexes: indexes.map { CollectionIndex($0.map(CollectionIndex.Key.init(name:))) })
    _ = try await session.change(CollectionPath(unchecked: "/c/"), to: settings)
    var indexed = 0
    let all = try await session.answer(to: Query(scope: .everything)).documents
    #expect(all.count == 300)
    func field(_ name: String) -> Field { .value(FieldPath(unchecked: [name])) }
    func randomFilter(_ depth: Int) -> Filter {
      let value = QueryValue(values.randomElement(using: &generator) ?? "1")
      let name = field(["f", "g", "h"].randomElement(using: &generator) ?? "f")
      // Ids are numbers as text, some of which are the beginning of others.
      let id = QueryValue.string(Array("\(Int.random(in: 0..<320, using: &generator))".utf8))
      switch Int.random(in: 0..<(depth > 2 ? 7 : 16), using: &generator) {
      case 10: return .test(.id, .equal(id))
      case 11: return .test(.id, .oneOf([id, .string(Array("7".utf8)), .string(Array("21".utf8))]))
      case 12:
        return .all([.test(.id, .prefix(Array("1".utf8))), .test(.id, .greater(id)), randomFilter(depth + 1)])
      case 13: return .all([.test(.id, .less(id)), randomFilter(depth + 1)])
      case 14: return .all([.test(.id, .greaterOrEqual(id)), .test(.id, .lessOrEqual(.string(Array("25".utf8))))])
      case 15: return .all([.test(.id, .oneOf([id, .string([0x32])])), .test(.id, .less(.string([0x33])))])
      case 0, 1: return .test(name, .equal(value))
      case 2: return .test(name, .less(value))
      case 3: return .test(name, .greaterOrEqual(value))
      case 4: return .test(name, .exists(Bool.random(using: &generator)))
      case 5: return .test(name, .oneOf([value, QueryValue("2")]))
      case 6: return .test(name, .greater(value))
      case 7: return .not(randomFilter(depth + 1))
      case 8: return .all([randomFilter(depth + 1), randomFilter(depth + 1)])
      default: return .any([randomFilter(depth + 1), randomFilter(depth + 1)])
      }
    }
    // Few of them are such as an index serves, and now and then none of sixty.
    for round in 0..<1_000 where round < 60 || (indexed == 0 && !indexes.isEmpty) {
      let scope =
        [
          Query.Scope.everything, .collection(CollectionPath(unchecked: "/c/")),
          .tree(CollectionPath(unchecked: "/c/")),
        ]
        .randomElement(using: &generator) ?? .everything
      let keys = ["f", "g"].prefix(Int.random(in: 0...2, using: &generator)).map {
        Query.SortKey(field($0), isDescending: Bool.random(using: &generator))
      }
      let filter = round % 10 == 0 ? .everything : randomFilter(0)
      let order = QueryOrder(keys)
      let expected = all.filter { document in
        switch scope {
        case .everything: true
        case .collection(let name): document.path.collection == name
        case .tree(let name): document.path.collection.description.utf8.starts(with: name.description.utf8)
        }
      }.filter { filter.matches($0) }.sorted { order.order(order.position(of: $0), order.position(of: $1)) < 0 }
      var query = Query(scope: scope, filter: filter, order: keys)
      let (documents, report) = try await session.answer(to: query)
      #expect(documents == expected, "round \(round)")
      if report.index != nil, report.index != ["@id"] { indexed += 1 }
      query.order = nil
      #expect(try await session.count(query) == expected.count, "round \(round)")
      query.order = keys
      query.limit = Int.random(in: 1...40, using: &generator)
      var pages: [Document] = []
      while true {
        let page = try await session.answer(to: query).documents
        #expect(page.count <= query.limit ?? 0)
        pages += page
        guard page.count == query.limit, let last = page.last else { break }
        query.after = order.position(of: last)
      }
      #expect(pages.map(\.path) == expected.map(\.path), "round \(round), in pages of \(query.limit ?? 0)")
    }
    #expect((indexed > 0) == !indexes.isEmpty)
    await session.close()
    try store.closeAndCheck()
  }

  @Test("of the past give what was there then")
  func past() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    _ = try await session.writeAll(
      (0..<20).map { .put(DocumentPath("/c/", "\($0)"), data: .init(string: "{\"n\":\($0)}")) })
    let moment = PastMoment(revision: try await session.status().revision)
    _ = try await session.writeAll((0..<10).map { .delete(DocumentPath("/c/", "\($0)")) })
    _ = try await session.writeAll(
      (8..<15).map { .put(DocumentPath("/c/", "\($0)"), data: .init(string: "{\"n\":-1}")) })
    var query = Query(
      scope: .everything, filter: .test(.value(FieldPath(unchecked: ["n"])), .greaterOrEqual(QueryValue("5"))),
      order: [Query.SortKey(.value(FieldPath(unchecked: ["n"])), isDescending: true)], limit: 3)
    query.moment = moment
    let page = try await session.answer(to: query).documents
    #expect(page.map(\.path.id) == ["19", "18", "17"])
    #expect(try await session.count(query) == 15)
    await session.close()
    try store.closeAndCheck()
  }

  @Test("end where they may look at no more, and when nobody waits any longer")
  func bounds() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    _ = try await session.writeAll((0..<20).map { .put(DocumentPath("/c/", "\($0)"), data: .init(string: "1")) })
    var query = Query(scope: .everything, filter: .test(.revision, .less(QueryValue("3"))), order: nil)
    query.scanLimit = 19
    await #expect(throws: StoreError.scanRefused(scanned: 19)) { try await session.answer(to: query) }
    query.scanLimit = 20
    #expect(try await session.answer(to: query).documents.count == 2)
    let cancellation = QueryCancellation()
    cancellation.cancel()
    await #expect(throws: StoreError.deadlineExceeded) {
      try await session.answer(to: query, cancellation: cancellation)
    }
    #expect(try await session.answer(to: query).report.scanned == 20)
    await session.close()
    try store.closeAndCheck()
  }

  @Test("search ids as the collection lies, without a look at other documents")
  func ids() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    _ = try await session.writeAll(
      (0..<100).flatMap { [.put("/c/", "k\($0)", "1"), .put("/c/d/", "k\($0)", "1")] })
    let collection = CollectionPath(unchecked: "/c/")
    func text(_ text: String) -> QueryValue { .string(Array(text.utf8)) }
    let tests: [(Filter.Test, found: Int, scanned: Int)] = [
      (.equal(text("k17")), 1, 1), (.oneOf([text("k3"), text("none"), text("k3"), text("k55")]), 2, 2),
      (.prefix(Array("k9".utf8)), 11, 11), (.greater(text("k98")), 1, 1), (.lessOrEqual(text("k10")), 3, 3),
    ]
    for (test, count, scanned) in tests {
      let query = Query(scope: .collection(collection), filter: .test(.id, test), scanLimit: 0)
      let (documents, report) = try await session.answer(to: query)
      #expect(documents.count == count && report.scanned == scanned && report.unindexed == 0, "\(test)")
      #expect(report.index == ["@id"] && report.isOrdered)
      #expect(try await session.count(query) == count)
    }
    let statement = "EXPLAIN QUERY PLAN SELECT data FROM document_rows WHERE \(PathRange.sql) ORDER BY collection, id"
    let outside = try store.connect()
    let plan = try outside.prepare(statement)
    #expect(try plan.step())
    let terms = "((collection,id)>(?,?) AND (collection,id)<(?,?))"
    #expect(plan.string(3) == "SEARCH document_rows USING INDEX sqlite_autoindex_document_rows_1 \(terms)")
    plan.reset()
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }
}

extension QueryValue {
  fileprivate init(_ text: String) {
    self = Array(text.utf8).withUnsafeBytes { QueryValue(token: $0) }
  }
}
