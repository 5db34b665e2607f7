import CSQLite
import DocketStore
import DocketTestSupport
import Logging
import NIOCore
import Testing

@testable import DocketSQLite

@Suite("The progress of what settings need")
struct BuildProgressTests {
  private static let notes = CollectionPath(unchecked: "/notes/")

  @Test("is told while it is made, and ends when it is there")
  func told() throws {
    let connection = try Connection(path: ":memory:", access: .create)
    let progress = BuildProgress()
    var percents: [Int?] = []
    let piece = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT count(*) FROM n"
    let counting = try connection.prepare(piece)
    #expect(try counting.step())
    let steps = Int64(counting.stepsTaken)
    counting.reset()
    try progress.follow(
      connection, making: "it", steps: 4 * steps, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ) { () throws(SQLiteError) in
      for _ in 0..<5 {
        try connection.execute(piece)
        percents.append(progress.current?.percent)
      }
    }
    let expected = [25, 50, 75, 99, 99]
    #expect(zip(percents, expected).allSatisfy { found, wanted in abs((found ?? 0) - wanted) <= 4 }, "\(percents)")
    #expect(progress.current == nil)
    connection.close()
  }

  @Test("ends the counting and the search for duplicates as well, when the store closes")
  func stopped() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    _ = try await session.writeAll((0..<5_000).map { .put("/notes/", "\($0)", #"{"a": \#($0)}"#) })
    let outside = try store.connect()
    let rules = try CollectionRules(outside)
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let unique = CollectionSettings(unique: [CollectionIndex([CollectionIndex.Key(name: "a")])])
    try outside.execute("BEGIN IMMEDIATE")
    let goingOn = try SettingsWriter(outside, rules: rules, progress: BuildProgress(), logger: logger)
    #expect(throws: Never.self) { try goingOn.change(Self.notes, to: unique, wall: 0).get() }
    // All that they need is there: what is left is the search.
    let progress = BuildProgress()
    let stopped = try SettingsWriter(outside, rules: rules, progress: progress, logger: logger)
    progress.stop()
    let error = #expect(throws: SQLiteError.self) { try stopped.change(Self.notes, to: unique, wall: 0) }
    #expect(error?.code == SQLITE_INTERRUPT)
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test("rests on an estimate of SQLite's steps that is nearly right")
  func estimate() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    _ = try await session.writeAll(
      (0..<2_000).map { .put("/notes/", "\($0)", #"{"a": \#($0), "b": "text", "d": 1.5}"#) }
        + (0..<1_000).map { .put("/other/", "\($0)", "1") })
    let outside = try store.connect()
    for fields in [["a"], ["b"], ["c"], ["d", "a"], ["a", "-b", "c"]] {
      let object = IndexSchema(CollectionIndex(fields.map(CollectionIndex.Key.init(name:))), of: Self.notes).object
      let making = try outside.prepare(object.create, persistent: false)
      try making.run()
      let steps = Double(making.stepsTaken)
      let estimate = Double(3 * 3_000 + object.stepsPerDocument * 2_000)
      #expect((0.75...1.35).contains(estimate / steps), "\(fields): \(estimate) of \(steps)")
    }
    let text = TextSchema([FieldPath(unchecked: ["b"]), FieldPath(unchecked: ["c"])], of: Self.notes).object
    try outside.execute(text.create)
    let filling = try outside.prepare(try #require(text.fill), persistent: false)
    try filling.run()
    let filled = Double(3 * 3_000 + text.stepsPerDocument * 2_000) / Double(filling.stepsTaken)
    #expect((0.75...1.35).contains(filled), "\(filled)")
    outside.close()
    await session.close()
    try store.closeAndCheck(but: [.index])
  }
}
