import DocketStore
import DocketTestSupport
import Logging
import NIOCore
import Testing

@testable import DocketSQLite

@Suite("Indexes of collections")
struct IndexTests {
  private static let notes = CollectionPath(unchecked: "/notes/")

  private static func settings(_ indexes: [[String]]) -> CollectionSettings {
    CollectionSettings(indexes: indexes.map { CollectionIndex($0.map(CollectionIndex.Key.init(name:))) })
  }

  private static func test(_ name: String, _ test: Filter.Test) -> Filter {
    .test(.value(FieldPath(unchecked: [name])), test)
  }

  private static func key(_ name: String, isDescending: Bool = false) -> Query.SortKey {
    Query.SortKey(.value(FieldPath(unchecked: [name])), isDescending: isDescending)
  }

  @Test("SQLite's planner searches them, and sorts nothing that they have in order")
  func plans() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    let index = CollectionIndex([.init(name: "status"), .init(name: "-priority")])
    _ = try await session.change(Self.notes, to: CollectionSettings(indexes: [index]))
    let open = Self.test("status", .equal(.string(Array("open".utf8))))
    let connection = try store.connect()
    let statements = IndexStatements(connection)
    func details(_ query: Query, after: Query.Position? = nil) throws -> [String] {
      let plan = try #require(IndexPlan(IndexSchema(index, of: Self.notes), for: query))
      return try IndexSegments(plan, query.order ?? [], after: after).conditions.map { conditions in
        let statement = try statements.statement(.documents, plan, conditions, wall: 1)
        let explain = try connection.prepare("EXPLAIN QUERY PLAN \(statement.sql)")
        var lines: [String] = []
        while try explain.step() { lines.append(explain.string(3)) }
        return lines.joined(separator: "; ")
      }
    }
    let byPriority = Query(
      scope: .collection(Self.notes), filter: open, order: [Self.key("priority", isDescending: true)], limit: 20)
    let place = Query.Position(values: [.number(.init(3))], path: DocumentPath("/notes/", "7"))
    var all = try details(byPriority) + details(byPriority, after: place)
    #expect(all.count == 4)
    let backwards = Query(scope: .collection(Self.notes), filter: open, order: [Self.key("priority")], limit: 20)
    all += try details(backwards)
    let range = Query(
      scope: .collection(Self.notes),
      filter: .all([open, Self.test("priority", .greaterOrEqual(.number(.init(2))))]), order: [])
    all += try details(range)
    for plan in all {
      #expect(plan.hasPrefix("SEARCH document_rows USING INDEX /notes/ [\"status\", \"-priority\"] ("))
      #expect(!plan.contains("TEMP B-TREE"), "\(plan)")
    }
    connection.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test("are there when their collection's settings are, however the file was changed meanwhile")
  func lifetimes() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    _ = try await session.writeAll(
      (0..<50).map { .put(DocumentPath("/notes/", "\($0)"), data: .init(string: "{\"n\": \($0 % 5)}")) })
    let change = try await session.change(Self.notes, to: Self.settings([["n"], ["-n", "m"]]))
    #expect(change == SettingsChange(existed: false, indexes: 2))
    let query = Query(scope: .collection(Self.notes), filter: Self.test("n", .equal(.number(.init(3)))), order: [])
    #expect(try await session.answer(to: query).report == QueryReport(index: ["n"], isOrdered: true, scanned: 10))
    #expect(try await session.count(query) == 10)
    let either = Query(
      scope: .collection(Self.notes), filter: Self.test("n", .oneOf([.number(.init(3)), .null, .number(.init(1))])),
      order: [Self.key("m")])
    #expect(try await session.answer(to: either).report == QueryReport(index: ["n"], isOrdered: false, scanned: 20))
    #expect(try await session.count(either) == 20)
    let outside = try store.connect()
    // What sqlite3 writes is found.
    try outside.execute("INSERT INTO documents(collection, id, data) VALUES ('/notes/', 'x', '{\"n\": 3.0}')")
    #expect(try await session.count(query) == 11)
    // Without its index a query does what it can.
    try outside.execute("DROP INDEX \"/notes/ [\"\"n\"\"]\"")
    #expect(try await session.answer(to: query).report.index == ["-n", "m"])
    outside.close()
    await session.close()
    try store.closeAndCheck(but: [.index])
    let file = try DatabaseFile.open(store.path, busyTimeoutMilliseconds: 0)
    #expect(file.foreignObjects == [])
    let again = try SQLiteRepository(
      file, options: SQLiteStoreOptions(), clock: .system, logger: Logger(label: "test"))
    let second = try SessionDriver(again)
    #expect(try await second.answer(to: query).report.index == ["n"])
    #expect(try await second.change(Self.notes, to: nil) == SettingsChange(existed: true, indexes: 0))
    let (documents, report) = try await second.answer(to: query)
    #expect(documents.count == 11 && report.index == nil)
    await second.close()
    again.close()
  }

  @Test("have a bound in all, and what cannot be indexed refuses one without harm to others' writes")
  func refusals() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    let many = (0..<64).map { ["f\($0)"] }
    #expect(try await session.change(Self.notes, to: Self.settings(many)).indexes == 64)
    let other = CollectionPath(unchecked: "/other/")
    await #expect(throws: StoreError.tooManyIndexes(limit: 64)) {
      try await session.change(other, to: Self.settings([["n"]]))
    }
    _ = try await session.change(Self.notes, to: nil)
    let outside = try store.connect()
    try outside.execute(
      "INSERT INTO document_rows(collection, id, revision, created_at, updated_at, data) VALUES ('/other/', '1', 1, 1, 1, '{')"
    )
    await #expect(throws: StoreError.indexNotMade(reason: "malformed JSON")) {
      try await session.change(other, to: Self.settings([["n"]]))
    }
    try outside.execute("DELETE FROM document_rows")
    _ = try await session.put("/other/", "2", "{\"n\": 1}")
    #expect(try await session.change(other, to: Self.settings([["n"]])).indexes == 1)
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test("whose names differ only in capitals are two")
  func capitals() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    let capital = CollectionPath(unchecked: "/Notes/")
    _ = try await session.writeAll([
      .put("/notes/", "1", #"{"status": 1, "Status": 2}"#), .put("/Notes/", "1", #"{"status": 1}"#),
    ])
    _ = try await session.change(Self.notes, to: Self.settings([["status"], ["Status"]]))
    _ = try await session.change(capital, to: Self.settings([["status"]]))
    func index(_ collection: CollectionPath, _ field: String) async throws -> [String]? {
      let filter = Self.test(field, .exists(true))
      return try await session.answer(to: Query(scope: .collection(collection), filter: filter)).report.index
    }
    #expect(try await index(Self.notes, "status") == ["status"])
    #expect(try await index(Self.notes, "Status") == ["Status"])
    #expect(try await index(capital, "status") == ["status"])
    _ = try await session.change(capital, to: nil)
    #expect(try await index(Self.notes, "status") == ["status"])
    #expect(try await index(capital, "status") == nil)
    await session.close()
    try store.closeAndCheck()
    let file = try DatabaseFile.open(store.path, busyTimeoutMilliseconds: 0)
    #expect(file.foreignObjects == [] && file.missingObjects == [])
  }

  @Test("find values that SQLite has only roughly, and tell how many were looked at in vain")
  func rough() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    // Doubles of 17 digits; every third number is a short one.
    _ = try await session.writeAll(
      (0..<300).map { number in
        let value = number % 3 == 0 ? "\(number)" : "\(number).00000000000012345"
        return .put(DocumentPath("/notes/", "\(number)"), data: .init(string: "{\"n\": \(value)}"))
      })
    _ = try await session.change(Self.notes, to: Self.settings([["n"]]))
    let one = Query(scope: .collection(Self.notes), filter: Self.test("n", .equal(.number(.init(7)))), order: [])
    #expect(try await session.answer(to: one).report.scanned <= 1)
    let range = Query(
      scope: .collection(Self.notes),
      filter: .all([
        Self.test("n", .greater(.number(.init(10)))), Self.test("n", .lessOrEqual(.number(.init(13)))),
      ]), order: nil, scanLimit: 1)
    let (documents, report) = try await session.answer(to: range)
    #expect(documents.map(\.path.id).sorted() == ["10", "11", "12"])
    #expect(report.scanned <= 4 && report.unindexed <= 1)
    var sorted = Query(
      scope: .collection(Self.notes), filter: Self.test("n", .exists(true)), order: [Self.key("n")], limit: 5)
    #expect(try await session.answer(to: sorted).report.unindexed == 200)
    sorted.scanLimit = 199
    await #expect(throws: StoreError.scanRefused(scanned: 199)) { try await session.answer(to: sorted) }
    await session.close()
    try store.closeAndCheck()
  }

  @Test("hand on at once what has no order, whatever SQLite has only roughly, so that it is not held in memory")
  func unordered() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    _ = try await session.writeAll(
      (0..<50).map { .put(DocumentPath("/notes/", "\($0)"), data: .init(string: "{\"n\": \($0).00000000000012345}")) })
    _ = try await session.change(Self.notes, to: Self.settings([["n"]]))
    let connection = try store.connect()
    let clock = WallClock.system
    let reader = try QueryReader(connection, past: PastReader(connection, clock: clock), clock: clock)
    let query = Query(scope: .collection(Self.notes), filter: Self.test("n", .exists(true)), order: nil)
    let result = try reader.run(query, isLate: { false }, visit: { _ in .stop })
    #expect(try result.get().scanned == 1)
    connection.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test("that cannot be made when a file is opened are no reason not to serve it")
  func unmade() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    _ = try await session.put("/notes/", "1", #"{"n": 1}"#)
    _ = try await session.change(Self.notes, to: Self.settings([["n"], ["m"]]))
    await session.close()
    let outside = try store.connect()
    try outside.execute(
      """
      DROP INDEX "/notes/ [""n""]";
      DROP INDEX "/notes/ [""m""]";
      INSERT INTO document_rows(collection, id, revision, created_at, updated_at, data) VALUES ('/notes/', '2', 1, 1, 1, '{')
      """)
    outside.close()
    store.repository.close()
    let file = try DatabaseFile.open(store.path, busyTimeoutMilliseconds: 0)
    #expect(
      file.missingObjects == [
        "/notes/ [\"n\"]: malformed JSON", "/notes/ [\"m\"]: malformed JSON",
      ])
    let again = try SQLiteRepository(
      file, options: SQLiteStoreOptions(), clock: .system, logger: Logger(label: "test"))
    let second = try SessionDriver(again)
    let query = Query(scope: .collection(Self.notes), filter: Self.test("n", .equal(.number(.init(1)))))
    #expect(try await second.answer(to: query).documents.map(\.path.id) == ["1"])
    await second.close()
    again.close()
  }

  @Test("are made again by a change of settings, and do no harm to the writes beside them")
  func besideWrites() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    let outside = try store.connect()
    try outside.execute(
      "INSERT INTO document_rows(collection, id, revision, created_at, updated_at, data) VALUES ('/bad/', '1', 1, 1, 1, '{')"
    )
    let bad = CollectionPath(unchecked: "/bad/")
    let results = await withCheckedContinuation { continuation in
      session.tick { session in
        var results: [String] = []
        session.submit(.put("/notes/", "1", #"{"n": 1}"#)) { results.append("\($0)") }
        session.change(bad, to: Self.settings([["n"]])) { results.append("\($0)") }
        session.change(Self.notes, to: Self.settings([["n"]])) { results.append("\($0)") }
        session.submit(.put("/notes/", "1", #"{"n": 2}"#)) { result in
          results.append("\(result)")
          continuation.resume(returning: results)
        }
      }
    }
    #expect(results.count == 4)
    #expect(results[1].contains("malformed JSON") && results[2].contains("indexes: 1"))
    #expect(results[0].contains("created") && results[3].contains("replaced"))
    try outside.execute("DROP INDEX \"/notes/ [\"\"n\"\"]\"")
    _ = try await session.change(Self.notes, to: Self.settings([["n"]]))
    let query = Query(scope: .collection(Self.notes), filter: Self.test("n", .equal(.number(.init(2)))))
    #expect(try await session.answer(to: query).report.index == ["n"])
    try outside.execute("DELETE FROM document_rows WHERE collection = '/bad/'")
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test("that the disk has no room for are not made; writes and reads go on")
  func fullDisk() async throws {
    var options = SQLiteStoreOptions()
    options.databaseBytes = 1 << 20
    let store = try StoreFixture(options: options)
    let session = try store.session()
    let text = String(repeating: "x", count: 300)
    _ = try await session.writeAll(
      (0..<1_500).map { .put(DocumentPath("/notes/", "\($0)"), data: .init(string: #"{"a": "\#($0) \#(text)"}"#)) })
    let error = await #expect(throws: StoreError.self) {
      try await session.change(Self.notes, to: Self.settings([["a"]]))
    }
    #expect(error == .full)
    #expect(try await session.settings(of: Self.notes) == nil)
    #expect(try await session.answer(to: Query(scope: .collection(Self.notes))).documents.count == 1_500)
    _ = try await session.writeAll((0..<1_000).map { .delete("/notes/", "\($0)") })
    #expect(try await session.put("/notes/", "1", "1") != nil)
    await session.close()
    try store.closeAndCheck()
  }
}
