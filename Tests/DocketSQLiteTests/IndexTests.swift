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
    try store.closeAndCheck()
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
    await #expect(throws: StoreError.refused(reason: "malformed JSON")) {
      try await session.change(other, to: Self.settings([["n"]]))
    }
    try outside.execute("DELETE FROM document_rows")
    _ = try await session.put("/other/", "2", "{\"n\": 1}")
    #expect(try await session.change(other, to: Self.settings([["n"]])).indexes == 1)
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }
}
