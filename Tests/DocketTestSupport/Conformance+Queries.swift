import DocketStore
import NIOCore

extension RepositoryConformance {
  public static let queryChecks: [Check] = [
    Check("a query finds what reading every document finds, in its order, from any place on") { repository in
      let driver = try SessionDriver(repository)
      var random = RandomQueries(generator: .forTest(named: "queries"))
      let known = try await KnownDocuments(150, in: driver, &random)
      var choosy = 0
      for number in 0..<300 {
        let filter = random.filter()
        let sort = random.sort()
        var query = Query(scope: random.scope(), filter: filter.filter, order: sort.keys)
        var expected = known.found(by: filter, in: query.scope, sortedBy: sort)
        let what = "query \(number): \(filter) in \(query.scope) by \(sort)"
        try expectEqual(try await driver.count(query), expected.count, what)
        let all = known.found(by: .all([]), in: query.scope, sortedBy: []).count
        if expected.count > 0, expected.count < all { choosy += 1 }
        if let place = known.documents.randomElement(using: &random.generator), random.isChosen(1, of: 3) {
          query.after = QueryOrder(sort.keys).position(of: place)
          expected = expected.filter { KnownDocuments.isBefore(place, $0, sort, known) }
        }
        if random.isChosen(1, of: 3) {
          let limit = Int.random(in: 1...10, using: &random.generator)
          query.limit = limit
          expected = Array(expected.prefix(limit))
        }
        try expectEqual(try await driver.query(query).map(\.path), expected.map(\.path), what)
        query.order = nil
        query.after = nil
        query.limit = nil
        let unordered = Set(try await driver.query(query).map(\.path))
        try expectEqual(unordered, Set(known.found(by: filter, in: query.scope, sortedBy: []).map(\.path)), what)
      }
      try expect(choosy > 60, "only \(choosy) queries found some documents and not others")
    },
    Check("words are not searched in a collection whose settings name no texts") { repository in
      let driver = try SessionDriver(repository)
      _ = try await driver.write(.put("/a/", "1", #"{"title": "word"}"#))
      let query = Query(scope: .collection(CollectionPath(unchecked: "/a/")), text: "word")
      let refusal = StoreError.noTextIndex(CollectionPath(unchecked: "/a/"))
      try await expectFailure(refusal) { try await driver.search(query) }
      try await expectFailure(refusal) { try await driver.query(query) }
      try await expectFailure(refusal) { try await driver.count(query) }
    },
    Check("a query tells of a document what a read tells, and of the past what a read of the past tells") {
      repository in
      let driver = try SessionDriver(repository)
      var random = RandomQueries(generator: .forTest(named: "queries of the past"))
      let known = try await KnownDocuments(60, in: driver, &random)
      let moment = PastMoment(revision: try await driver.status().revision)
      for document in try await driver.query(Query(scope: .everything)) {
        try expectEqual(document, try await driver.document(at: document.path))
      }
      for document in known.documents where random.isChosen(1, of: 2) {
        let write: Write =
          random.isChosen(1, of: 2)
          ? .delete(document.path) : .put(document.path, data: ByteBuffer(string: random.document().text))
        _ = try await driver.write(write)
      }
      _ = try await driver.write(.put("/q/", "later", #"{"a":1}"#))
      for _ in 0..<60 {
        let filter = random.filter()
        let sort = random.sort()
        let query = Query(scope: random.scope(), filter: filter.filter, order: sort.keys, moment: moment)
        let expected = known.found(by: filter, in: query.scope, sortedBy: sort)
        let what = "\(filter) in \(query.scope) by \(sort)"
        try expectEqual(try await driver.query(query), expected, what)
        try expectEqual(try await driver.count(query), expected.count, what)
      }
      let ahead = Query(scope: .everything, moment: PastMoment(revision: Revision(1 << 40)))
      let newest = try await driver.status().revision
      try await expectFailure(.ahead(newest: newest)) { try await driver.query(ahead) }
      try await expectFailure(.ahead(newest: newest)) { try await driver.count(ahead) }
    },
    Check("pages of a query neither skip nor repeat what stays as it is while other documents change") { repository in
      let driver = try SessionDriver(repository)
      var random = RandomQueries(generator: .forTest(named: "pages of queries"))
      for sort in [random.sort(), random.sort(), [], [("a", false)], [("a", true), ("b", false)]] {
        let known = try await KnownDocuments(40, in: driver, &random)
        let staying = known.found(by: .all([]), in: .tree(CollectionPath(unchecked: "/q/")), sortedBy: sort)
        var met: [Document] = []
        while true {
          let order = QueryOrder(sort.keys)
          let page = try await driver.query(
            Query(
              scope: .tree(CollectionPath(unchecked: "/q/")), order: sort.keys,
              after: met.last.map { order.position(of: $0) }, limit: 3))
          guard !page.isEmpty else { break }
          met += page
          _ = try await driver.writeAll(
            (0..<4).map { _ in
              let id = "moving\(Int.random(in: 0..<9, using: &random.generator))"
              return random.isChosen(1, of: 3) ? .delete("/q/", id) : .put("/q/", id, random.document().text)
            })
          try expect(met.count < 10_000, "pages without end")
        }
        let stayed = met.filter { !$0.path.id.hasPrefix("moving") }
        try expectEqual(stayed.map(\.path), staying.map(\.path), "by \(sort)")
        _ = try await driver.writeAll((0..<9).map { .delete("/q/", "moving\($0)") })
      }
    },
    Check("a query ends at its limit of documents or of bytes, and where the visitor says stop") { repository in
      let driver = try SessionDriver(repository)
      _ = try await driver.writeAll((0..<9).map { .put("/s/", "\($0)", #"{"n":\#(9 - $0)}"#) })
      let scope = Query.Scope.collection(CollectionPath(unchecked: "/s/"))
      let n = Field.value(FieldPath(unchecked: ["n"]))
      for order in [[], [Query.SortKey(n)], [Query.SortKey(n, isDescending: true)]] {
        // Each has seven bytes.
        for (limit, bytes, found) in [
          (4, Int.max, 4), (1, 1, 1), (9, 1, 2), (9, 7, 2), (9, 14, 2), (9, 15, 3), (9, 21, 3), (2, 100, 2),
        ] {
          let query = Query(scope: scope, order: order, limit: limit, limitBytes: bytes)
          try expectEqual(try await driver.query(query).count, found, "\(limit) of \(bytes) bytes by \(order)")
        }
        let whole = try await driver.query(Query(scope: scope, order: order))
        let stopped = try await driver.query(Query(scope: scope, order: order), stopAfter: 3)
        try expectEqual(stopped, Array(whole.prefix(3)))
        let rising = (0..<9).map(String.init)
        try expectEqual(whole.map(\.path.id), order.first?.isDescending == false ? rising.reversed() : rising)
      }
    },
    Check("a query that looks at more documents than it may is refused") { repository in
      let driver = try SessionDriver(repository)
      _ = try await driver.writeAll((0..<50).map { .put("/s/", "\($0)", #"{"n":\#($0)}"#) })
      let n = Field.value(FieldPath(unchecked: ["n"]))
      var query = Query(
        scope: .collection(CollectionPath(unchecked: "/s/")), filter: .test(n, .equal(.null)), scanLimit: 50)
      try expectEqual(try await driver.query(query).count, 0)
      try expectEqual(try await driver.count(query), 0)
      query.scanLimit = 10
      for refused in [query, query.sorted(by: n)] {
        do {
          _ = try await driver.query(refused)
          throw Failure(description: "not refused")
        } catch StoreError.scanRefused(let scanned) {
          try expect(scanned >= 10, "refused at \(scanned)")
        }
      }
    },
    Check("what has expired is in no query, and in no count") { repository in
      let driver = try SessionDriver(repository)
      let ending = WriteTerms(lifetime: .milliseconds(1))
      _ = try await driver.writeAll([.put("/x/", "1", "1"), Write.put("/x/", "2", "2").on(ending)])
      try await Task.sleep(for: .milliseconds(20))
      for scope in [Query.Scope.collection(CollectionPath(unchecked: "/x/")), .everything] {
        try expectEqual(try await driver.query(Query(scope: scope)).map(\.path.id), ["1"])
        try expectEqual(try await driver.count(Query(scope: scope)), 1)
      }
    },
  ]

  private static func expectFailure<Value>(
    _ error: StoreError, _ body: () async throws -> Value
  ) async throws {
    do {
      _ = try await body()
    } catch let found as StoreError {
      return try expectEqual(found, error)
    }
    throw Failure(description: "no failure where \(error) was expected")
  }
}

/// Documents whose meaning is known beside the store that has them.
private struct KnownDocuments {
  private(set) var documents: [Document] = []
  private var meanings: [DocumentPath: SampleValue] = [:]

  /// Writes random documents, in the place of those that were.
  init(_ count: Int, in driver: SessionDriver, _ random: inout RandomQueries) async throws {
    let old = try await driver.query(Query(scope: .everything)).map { Write.delete($0.path) }
    _ = try await driver.writeAll(old)
    for number in 0..<count {
      let path = DocumentPath(random.element(RandomQueries.collections), random.element(["", "é", "~"]) + "\(number)")
      let document = random.document()
      _ = try await driver.write(.put(path, data: ByteBuffer(string: document.text)))
      meanings[path] = document
      if let document = try await driver.document(at: path) { documents.append(document) }
    }
  }

  /// The documents that a query finds, by the meaning of what they hold.
  func found(
    by filter: SampleFilter, in scope: Query.Scope, sortedBy sort: [(field: String, isDescending: Bool)]
  ) -> [Document] {
    documents.filter { Self.holds(scope, $0.path) && (meanings[$0.path].map(filter.holds) ?? false) }
      .sorted { Self.isBefore($0, $1, sort, self) }
  }

  private static func holds(_ scope: Query.Scope, _ path: DocumentPath) -> Bool {
    switch scope {
    case .collection(let collection): path.collection == collection
    case .tree(let collection): path.collection.description.utf8.starts(with: collection.description.utf8)
    case .everything: true
    }
  }

  static func isBefore(
    _ a: Document, _ b: Document, _ sort: [(field: String, isDescending: Bool)], _ known: KnownDocuments
  ) -> Bool {
    for (field, isDescending) in sort {
      let (first, second) = isDescending ? (b, a) : (a, b)
      if known.isBefore(first, second, field) { return true }
      if known.isBefore(second, first, field) { return false }
    }
    let (first, second) = sort.last?.isDescending == true ? (b, a) : (a, b)
    if first.path.collection == second.path.collection {
      return first.path.id.utf8.lexicographicallyPrecedes(second.path.id.utf8)
    }
    return first.path.collection.description.utf8.lexicographicallyPrecedes(second.path.collection.description.utf8)
  }

  private func isBefore(_ a: Document, _ b: Document, _ field: String) -> Bool {
    switch field {
    case "@id": a.path.id.utf8.lexicographicallyPrecedes(b.path.id.utf8)
    case "@created": a.created < b.created
    case "@updated": a.updated < b.updated
    case "@revision": a.revision < b.revision
    default: SampleValue.isBefore(meanings[a.path]?[field], meanings[b.path]?[field])
    }
  }
}

extension [(field: String, isDescending: Bool)] {
  fileprivate var keys: [Query.SortKey] {
    map { Query.SortKey(Field(sample: $0.field), isDescending: $0.isDescending) }
  }
}

extension Query {
  fileprivate func sorted(by field: Field) -> Query {
    var query = self
    query.order = [SortKey(field)]
    return query
  }
}
