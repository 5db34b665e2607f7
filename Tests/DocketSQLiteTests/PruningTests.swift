import DocketStore
import DocketTestSupport
import Foundation
import NIOCore
import Testing

@testable import DocketSQLite

@Suite("Pruning of history")
struct PruningTests {
  private static let day: Int64 = 86_400_000

  private static func options(_ change: (inout SQLiteStoreOptions) -> Void) -> SQLiteStoreOptions {
    var options = SQLiteStoreOptions()
    options.idleMilliseconds = 5
    options.historyDays = 100_000
    change(&options)
    return options
  }

  /// Of which history goes for its size alone.
  private static func store(floor: Int64 = 1 << 20, idleMilliseconds: Int64 = 600_000) throws -> StoreFixture {
    try StoreFixture(
      options: options {
        $0.historyFloorBytes = floor
        $0.idleMilliseconds = idleMilliseconds
      })
  }

  /// The writer has done all that there is to do, and rests.
  private static func waitForRest(_ store: StoreFixture) async throws {
    let log = store.path + "-wal"
    try await eventually { try FileManager.default.attributesOfItem(atPath: log)[.size] as? Int == 0 }
  }

  @Test("What is older than the days goes, with the tombstones that belong to it, and the rest stays")
  func age() async throws {
    let clock = TestClock()
    let store = try StoreFixture(options: Self.options { $0.historyDays = 7 }, clock: clock)
    let session = try store.session()
    _ = try await session.writeAll([
      .put("/a/", "1", "1"), .put("/a/", "2", "2"), .put("/a/", "3", "3"), .put("/a/", "1", "11"), .delete("/a/", "2"),
      .delete("/a/", "3"), .put("/a/", "3", "33"),
    ])
    clock.milliseconds += 7 * Self.day
    _ = try await session.writeAll([.put("/a/", "1", "111"), .delete("/a/", "3")])
    clock.milliseconds += 1
    let outside = try store.connect()
    // One more write makes the writer look.
    _ = try await session.put("/b/", "1", "1")
    try await eventually { try outside.int64("SELECT min(sequence) FROM changes") == 8 }
    #expect(try outside.string("SELECT group_concat(id || ' ' || sequence) FROM tombstones") == "3 9")
    #expect(try outside.string("SELECT before || ' ' || previous FROM changes WHERE sequence = 8") == "11 4")
    #expect(try await session.status().oldestRevision == Revision(7))
    #expect(try await session.text("/a/", "1") == "111")
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test("With no days of history the newest row stays, and the revisions go on from it")
  func noHistory() async throws {
    let store = try StoreFixture(options: Self.options { $0.historyDays = 0 })
    var session = try store.session()
    _ = try await session.writeAll((1...3_000).map { .put("/a/", "\($0 % 10)", "\($0)") } + [.delete("/a/", "1")])
    let outside = try store.connect()
    try await eventually { try outside.int64("SELECT count(*) FROM changes") == 1 }
    #expect(try outside.int64("SELECT count(*) FROM tombstones") == 1)
    outside.close()
    await session.close()
    try store.restart()
    session = try store.session()
    #expect(try await session.status().oldestRevision == Revision(3_000))
    #expect(try await session.put("/a/", "1", "1") == Revision(3_002))
    await session.close()
    try store.closeAndCheck()
  }

  @Test("History beyond its share goes while writes come in, not before it has reached its floor", arguments: [1, 30])
  func share(kibibytes: Int) async throws {
    let floor: Int64 = 1 << 20
    let store = try Self.store(floor: floor)
    let session = try store.session()
    let text = "\"" + String(repeating: "x", count: kibibytes << 10) + "\""
    // Half of the floor is kept whole.
    let half = Int(floor) / 2 / text.count
    _ = try await session.writeAll((1...half).map { .put("/a/", "\($0 % 10)", text) })
    let outside = try store.connect()
    #expect(try outside.int64("SELECT min(sequence) FROM changes") == 1)
    // Twenty times the floor, without a moment of rest.
    for _ in 1...20 {
      _ = try await session.writeAll((1...2 * half).map { .put("/a/", "\($0 % 10)", text) })
    }
    let bytes = try outside.int64("SELECT sum(length(before)) FROM changes")
    #expect(try #require(bytes) < 3 * floor)
    #expect(try #require(bytes) > floor / 2)
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test(
    "History that is small on the whole stays, wherever large documents stand in it, also behind a new start",
    arguments: [1, 3, 9, 300])
  func sizes(largeAt place: Int) async throws {
    let store = try Self.store()
    var session = try store.session()
    let text = "\"" + String(repeating: "x", count: 200_000) + "\""
    let outside = try store.connect()
    func smallOnes(_ count: Int, _ session: SessionDriver) async throws {
      _ = try await session.writeAll((0..<count).map { .put("/b/", "\($0)", "1") })
    }
    try await smallOnes(place, session)
    _ = try await session.writeAll((1...3).flatMap { _ in [.put("/a/", "1", text), .put("/a/", "1", "1")] })
    for _ in 1...10 { try await smallOnes(512 - place - 6, session) }
    #expect(try outside.int64("SELECT min(sequence) FROM changes") == 1)
    await session.close()
    store.options.idleMilliseconds = 1
    try store.restart()
    session = try store.session()
    try await smallOnes(600, session)
    try await Self.waitForRest(store)
    #expect(try outside.int64("SELECT min(sequence) FROM changes") == 1)
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test("Large history goes at its size, and small one that came later stays", arguments: [false, true])
  func ages(isRestarted: Bool) async throws {
    let floor: Int64 = 1 << 20
    let store = try StoreFixture(options: Self.options { $0.historyFloorBytes = floor })
    var session = try store.session()
    let text = "\"" + String(repeating: "x", count: 100_000) + "\""
    _ = try await session.writeAll((1...30).map { _ in .put("/a/", "1", text) })
    if isRestarted {
      await session.close()
      try store.restart()
      session = try store.session()
    }
    // Some 500 KB.
    for _ in 1...4 { _ = try await session.writeAll((1...1_500).map { .put("/b/", "\($0)", "1") }) }
    let outside = try store.connect()
    let left = "SELECT sum(length(before)) FROM changes WHERE collection = '/a/'"
    try await eventually { try outside.int64(left).map { $0 < floor } == true }
    #expect(try outside.int64("SELECT count(*) FROM changes WHERE collection = '/b/'") == 6_000)
    #expect(try #require(try outside.int64(left)) > floor / 4)
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test("What others write counts as well, however much it is", arguments: [20, 200, 6_000])
  func others(count: Int) async throws {
    let floor: Int64 = 1 << 20
    let store = try StoreFixture(options: Self.options { $0.historyFloorBytes = floor })
    let session = try store.session()
    let outside = try store.connect()
    _ = try await session.writeAll((1...2_000).map { .put("/b/", "\($0)", "1") })
    try outside.execute("INSERT INTO documents(collection, id, data) VALUES ('/a/', '1', '0')")
    for _ in 1...count {
      try outside.execute(
        "UPDATE documents SET data = json_quote(hex(zeroblob(\(6_000_000 / count / 2)))) WHERE collection = '/a/'")
    }
    _ = try await session.put("/b/", "1", "2")
    try await eventually {
      try outside.int64("SELECT sum(length(before)) FROM changes WHERE collection = '/a/'").map { $0 < floor } == true
    }
    #expect(try outside.int64("SELECT count(*) FROM changes WHERE collection = '/a/'") != 0)
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test(
    "What was undone takes no room in the history: batches, trials, and numbers that others use then",
    arguments: [false, true])
  func undone(othersWrite: Bool) async throws {
    let store = try Self.store(idleMilliseconds: 5)
    let session = try store.session()
    let outside = try store.connect()
    let text = "\"" + String(repeating: "x", count: 200_000) + "\""
    let documents = (1...20).map { "\($0)" }
    _ = try await session.writeAll(
      (1...100).map { .put("/b/", "\($0)", "1") } + documents.map { .put("/a/", $0, text) })
    for _ in 1...3 {
      for id in documents {
        let write = Write.put("/a/", id, "1")
        _ = try await session.write(Write(write.action, terms: WriteTerms(isDryRun: true)))
        if othersWrite { try outside.execute("UPDATE documents SET data = '2' WHERE collection = '/b/' AND id = '1'") }
      }
      _ = try await session.transact(
        Transaction(.batch, bytes: 1, key: nil) { access in
          for id in documents { access.submit(.put("/a/", id, "1")) { _ in } }
          return TransactionResult(0, keepsWrites: false, kept: nil)
        })
      if othersWrite { try outside.execute("UPDATE documents SET data = '2' WHERE collection = '/b/' AND id = '1'") }
      // At rest it is looked at once more.
      try await Self.waitForRest(store)
      #expect(try outside.int64("SELECT min(sequence) FROM changes") == 1)
    }
    _ = try await session.writeAll((1...600).map { .put("/b/", "\($0)", "1") })
    #expect(try outside.int64("SELECT min(sequence) FROM changes") == 1)
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test(
    "History that became too much goes also where others write a little in the midst of much, and triggers do",
    arguments: [false, true])
  func strangersUnderLoad(byTrigger: Bool) async throws {
    let floor: Int64 = 1 << 20
    let store = try Self.store(floor: floor)
    let session = try store.session()
    let outside = try store.connect()
    if byTrigger {
      try outside.execute(
        """
        CREATE TRIGGER audit AFTER UPDATE ON document_rows WHEN new.collection = '/a/' BEGIN
          INSERT INTO documents(collection, id, data) VALUES ('/c/', new.id || '-' || new.revision, '1'); END
        """)
    }
    let text = "\"" + String(repeating: "x", count: 100) + "\""
    for _ in 1...10 {
      if !byTrigger {
        try outside.execute("INSERT OR REPLACE INTO documents(collection, id, data) VALUES ('/b/', '1', '1')")
      }
      _ = try await session.transact(
        Transaction(.batch, bytes: 1, key: nil) { access in
          for id in 1...6_000 { access.submit(.put("/a/", "\(id)", text)) { _ in } }
          return TransactionResult(0, keepsWrites: true, kept: nil)
        })
    }
    // One more write makes the writer look behind the last batch.
    for _ in 1...5 { _ = try await session.put("/a/", "1", "1") }
    let bytes = try outside.int64("SELECT sum(length(before) + 40) FROM changes")
    #expect(try #require(bytes) < 4 * floor)
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test("Small patches of a large document make large history, and it goes as fast")
  func patches() async throws {
    let floor: Int64 = 1 << 20
    let store = try Self.store(floor: floor)
    let session = try store.session()
    let outside = try store.connect()
    let text = "\"" + String(repeating: "x", count: 200_000) + "\""
    _ = try await session.put("/a/", "1", #"{"text": \#(text), "n": 0}"#)
    for n in 1...100 { _ = try await session.write(.mergePatch("/a/", "1", #"{"n": \#(n)}"#)) }
    let bytes = try outside.int64("SELECT sum(length(before)) FROM changes")
    #expect(try #require(bytes) < 3 * floor)
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test("History that became too much goes also where writes only trickle")
  func trickle() async throws {
    var options = Self.options { $0.idleMilliseconds = 600_000 }
    let store = try StoreFixture(options: options)
    var session = try store.session()
    let text = "\"" + String(repeating: "x", count: 10_000) + "\""
    _ = try await session.writeAll((1...500).map { .put("/a/", "\($0 % 10)", text) })
    await session.close()
    // With a smaller bound there is much to remove, and each write is far from calling for a step by itself.
    options.historyFloorBytes = 1 << 18
    store.options.historyFloorBytes = options.historyFloorBytes
    try store.restart()
    session = try store.session()
    _ = try await session.writeAll((1...60).map { .put("/a/", "\($0 % 10)", text) })
    for n in 1...20 { _ = try await session.put("/b/", "1", "\(n)") }
    let outside = try store.connect()
    let bytes = try outside.int64("SELECT sum(length(before)) FROM changes")
    #expect(try #require(bytes) < 1 << 20)
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test(
    "Where the database refuses it nothing is removed, and the writes stay", arguments: ["ABORT", "IGNORE", "ROLLBACK"])
  func refused(raised: String) async throws {
    let clock = TestClock()
    let store = try StoreFixture(
      options: Self.options {
        $0.historyDays = 1
        $0.idleMilliseconds = 600_000
      }, clock: clock)
    let session = try store.session()
    _ = try await session.writeAll([.put("/a/", "1", "1"), .delete("/a/", "1")])
    let outside = try store.connect()
    try outside.execute(
      "CREATE TRIGGER keep BEFORE DELETE ON changes BEGIN SELECT \(Self.raise(raised)); END")
    clock.milliseconds += 2 * Self.day
    // Enough to call for steps, also in one group.
    _ = try await session.writeAll((1...3_000).map { .put("/b/", "\($0)", "1") })
    #expect(try outside.int64("SELECT min(sequence) FROM changes") == 1)
    #expect(try outside.int64("SELECT count(*) FROM tombstones") == 1)
    #expect(try outside.int64("SELECT count(*) FROM documents") == 3_000)
    try outside.execute("DROP TRIGGER keep")
    // Who has undone a whole group is asked again when nobody writes.
    if raised == "ROLLBACK" { try store.restart() }
    let next = try store.session()
    _ = try await next.writeAll((1...600).map { .put("/b/", "\($0)", "2") })
    #expect(try outside.int64("SELECT min(sequence) FROM changes") == 3)
    #expect(try outside.int64("SELECT count(*) FROM tombstones") == 0)
    await next.close()
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  private static func raise(_ how: String) -> String {
    how == "IGNORE" ? "raise(IGNORE)" : "raise(\(how), 'it is kept')"
  }

  @Test(
    "A writer at rest does all else that there is to do where one thing is refused, and then rests",
    arguments: ["changes", "kept_answers"], ["ABORT", "IGNORE", "ROLLBACK"])
  func refusedAtRest(table: String, raised: String) async throws {
    let clock = TestClock()
    let store = try StoreFixture(
      options: Self.options {
        $0.historyDays = 1
        $0.keptAnswerBytes = 1_000
        $0.idleMilliseconds = 5
      }, clock: clock)
    let outside = try store.connect()
    try outside.execute("CREATE TRIGGER keep BEFORE DELETE ON \(table) BEGIN SELECT \(Self.raise(raised)); END")
    let session = try store.session()
    for number in 1...20 {
      _ = try await session.transact(
        Transaction(.single, bytes: 1, key: IdempotencyKey(name: "\(number)", fingerprint: 1)) { access in
          access.submit(.put("/a/", "\(number)", "1")) { _ in }
          return TransactionResult(0, keepsWrites: true, kept: ByteBuffer(repeating: 0x31, count: 200))
        })
    }
    clock.milliseconds += 2 * Self.day
    _ = try await session.put("/b/", "1", "1")
    outside.close()
    try await Self.waitForRest(store)
    await session.close()
    try store.restart()
    let other = try store.connect()
    #expect(try other.int64("SELECT count(*) FROM kept_answers").map { $0 < 10 } == (table == "changes"))
    try other.execute("DROP TRIGGER keep")
    other.close()
    try store.closeAndCheck(but: [.answer])
  }

  @Test("Pages that history leaves go back to the file system")
  func shrinks() async throws {
    let clock = TestClock()
    let store = try StoreFixture(options: Self.options { $0.historyDays = 1 }, clock: clock)
    let session = try store.session()
    let text = "\"" + String(repeating: "x", count: 10_000) + "\""
    _ = try await session.writeAll((1...600).map { .put("/a/", "\($0 % 10)", text) })
    try await eventually { try await session.status().fileBytes > 6_000_000 }
    clock.milliseconds += 2 * Self.day
    _ = try await session.put("/a/", "1", "1")
    try await eventually { try await session.status().fileBytes < 400_000 }
    await session.close()
    try store.closeAndCheck()
  }
}
