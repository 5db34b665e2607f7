import DocketStore
import DocketTestSupport
import Testing

@testable import DocketSQLite

@Suite("Expiry")
struct WriterExpiryTests {
  /// A store with the documents 1 and 2 in `/item/`, of which 1 expires when the clock has gone on by a second.
  private func makeStore() async throws -> (StoreFixture, SessionDriver, TestClock) {
    let clock = TestClock()
    var options = SQLiteStoreOptions()
    options.sweepMilliseconds = 3_600_000
    options.idleMilliseconds = 3_600_000
    let store = try StoreFixture(options: options, clock: clock)
    let session = try store.session()
    _ = try await session.writeAll([.put("/item/", "1", "1"), .put("/item/", "2", "1")])
    try store.connect().execute("UPDATE document_rows SET expires_at = \(clock.milliseconds + 1_000) WHERE id = '1'")
    return (store, session, clock)
  }

  @Test("A document is there until the moment at which it expires, and then nobody sees it")
  func reads() async throws {
    let (store, session, clock) = try await makeStore()
    clock.milliseconds += 999
    #expect(try await session.text("/item/", "1") == "1")
    clock.milliseconds += 1
    #expect(try await session.text("/item/", "1") == nil)
    #expect(try await session.page(CollectionPath(unchecked: "/item/")).map(\.path.id) == ["2"])
    await session.close()
    try store.closeAndCheck()
  }

  @Test("An expired document cannot be patched, deleted or found by its value, and nothing is written")
  func writes() async throws {
    let (store, session, clock) = try await makeStore()
    clock.milliseconds += 1_000
    #expect(try await session.write(.delete("/item/", "1")) == .notFound)
    #expect(try await session.write(.mergePatch("/item/", "1", "{}")) == .notFound)
    #expect(try await session.status().revision == Revision(2))
    let replaced = try await session.write(.replaceFirst(in: "/item/", "1", with: "2"))
    #expect(replaced == .replaced(DocumentPath("/item/", "2"), Revision(3)))
    await session.close()
    try store.closeAndCheck()
  }

  @Test("Writing an expired document ends it and creates it anew")
  func recreation() async throws {
    let (store, session, clock) = try await makeStore()
    clock.milliseconds += 1_000
    #expect(try await session.write(.put("/item/", "1", "7")) == .created(DocumentPath("/item/", "1"), Revision(4)))
    let document = try #require(try await session.document(at: DocumentPath("/item/", "1")))
    #expect(document.created.milliseconds == clock.milliseconds)
    let outside = try store.connect()
    let history = try outside.string(
      """
      SELECT group_concat(sequence || ' ' || kind || ' ' || coalesce(previous, '-') || ' ' || coalesce(before, '-'), ', ')
      FROM changes WHERE id = '1'
      """)
    #expect(history == "1 created - -, 3 expired 1 1, 4 created 3 -")
    #expect(try outside.int64("SELECT count(*) FROM document_rows WHERE expires_at IS NOT NULL") == 0)
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test("A write without a lifetime makes a document permanent, one with a lifetime sets its end anew")
  func expiryOfLiveDocuments() async throws {
    let (store, session, clock) = try await makeStore()
    let outside = try store.connect()
    let lifetime = "SELECT expires_at - \(clock.milliseconds) FROM document_rows WHERE id = '1'"
    let brief = WriteTerms(lifetime: .milliseconds(500))
    for (brief, permanent) in [
      (Write.put("/item/", "1", "{}").on(brief), Write.put("/item/", "1", "{}")),
      (.mergePatch("/item/", "1", "{}").on(brief), .mergePatch("/item/", "1", "{}")),
      (.replaceFirst(in: "/item/", "{}", with: "{}").on(brief), .replaceFirst(in: "/item/", "{}", with: "{}")),
    ] {
      _ = try await session.write(brief)
      #expect(try outside.int64(lifetime) == 500)
      _ = try await session.write(permanent)
      #expect(try outside.int64("SELECT count(*) FROM document_rows WHERE expires_at IS NOT NULL") == 0)
    }
    _ = try await session.write(Write.create(in: "/item/", "3").on(brief))
    clock.milliseconds += 500
    #expect(try await session.page(CollectionPath(unchecked: "/item/")).map(\.path.id) == ["1", "2"])
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test("What has expired is cleared away when the store is idle: a change, a tombstone, and no row, in bounded steps")
  func sweeping() async throws {
    let clock = TestClock()
    var options = SQLiteStoreOptions()
    options.idleMilliseconds = 5
    let store = try StoreFixture(options: options, clock: clock)
    let session = try store.session()
    let brief = WriteTerms(lifetime: .milliseconds(1_000))
    _ = try await session.writeAll(
      (1...3_000).map { Write.put("/a/", "\($0)", "1").on(brief) } + [.put("/a/", "x", "1")])
    let outside = try store.connect()
    clock.milliseconds += 1_000
    try await eventually { try outside.int64("SELECT count(*) FROM document_rows") == 1 }
    #expect(
      try outside.int64("SELECT count(*) FROM changes WHERE kind = 'expired' AND previous = sequence - 3001") == 3_000)
    #expect(try outside.int64("SELECT count(*) FROM tombstones JOIN changes USING (sequence, collection, id)") == 3_000)
    #expect(try await session.write(.put("/a/", "1", "2")) == .created(DocumentPath("/a/", "1"), Revision(6_002)))
    #expect(try outside.int64("SELECT previous FROM changes WHERE sequence = 6002") == 3_002)
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test("In the midst of writes what has expired is cleared away, too")
  func sweepingUnderLoad() async throws {
    let clock = TestClock()
    let store = try StoreFixture(clock: clock)
    let session = try store.session()
    let brief = WriteTerms(lifetime: .milliseconds(1_000))
    _ = try await session.writeAll((1...1_000).map { Write.put("/a/", "\($0)", "1").on(brief) })
    clock.milliseconds += 1_000
    for n in 0..<600 { _ = try await session.write(.put("/b/", "1", "\(n)")) }
    let outside = try store.connect()
    #expect(try outside.int64("SELECT count(*) FROM document_rows") == 1)
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test("In the midst of large writes as much is cleared away as they bring")
  func sweepingUnderLargeLoad() async throws {
    let clock = TestClock()
    var options = SQLiteStoreOptions()
    options.sweepMilliseconds = 3_600_000
    options.idleMilliseconds = 3_600_000
    let store = try StoreFixture(options: options, clock: clock)
    let session = try store.session()
    let text = "\"" + String(repeating: "x", count: 1 << 19) + "\""
    for id in 0..<100 {
      _ = try await session.write(Write.put("/e/", "\(id)", text).on(WriteTerms(lifetime: .milliseconds(100))))
      clock.milliseconds += 10
    }
    let outside = try store.connect()
    // Ten have not expired yet, and those of a step or two wait.
    let left = try #require(try outside.int64("SELECT count(*) FROM document_rows"))
    #expect(left < 40, "\(left)")
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test("For a condition a document that has expired is absent")
  func conditions() async throws {
    let (store, session, clock) = try await makeStore()
    clock.milliseconds += 1_000
    let matched = Write.put("/item/", "1", "7").on(WriteTerms(condition: .oneOf([Revision(1)])))
    #expect(try await session.write(matched) == .conditionFailed(current: nil))
    let deletion = Write.delete("/item/", "1").on(WriteTerms(condition: .exists))
    #expect(try await session.write(deletion) == .conditionFailed(current: nil))
    let creation = Write.put("/item/", "1", "7").on(WriteTerms(condition: .absent))
    #expect(try await session.write(creation) == .created(DocumentPath("/item/", "1"), Revision(4)))
    await session.close()
    try store.closeAndCheck()
  }

  @Test("One that a trigger does not let go stays, and all others are cleared away", arguments: ["ABORT", "ROLLBACK"])
  func refusedEnd(raised: String) async throws {
    let clock = TestClock()
    var options = SQLiteStoreOptions()
    options.idleMilliseconds = 5
    let store = try StoreFixture(options: options, clock: clock)
    let session = try store.session()
    let brief = WriteTerms(lifetime: .milliseconds(1_000))
    let outside = try store.connect()
    try outside.execute(
      """
      CREATE TRIGGER mine BEFORE DELETE ON document_rows WHEN old.collection = '/kept/'
      BEGIN SELECT raise(\(raised), 'not this one'); END
      """)
    // Among the others, and where one can be passed over, more than a step has.
    let kept = raised == "ABORT" ? 1_100 : 10
    _ = try await session.writeAll((1...9).map { Write.put("/n/", "\($0)", "1").on(brief) })
    _ = try await session.writeAll((1...kept).map { Write.put("/kept/", "\($0)", "1").on(brief) })
    _ = try await session.writeAll((10...19).map { Write.put("/n/", "\($0)", "1").on(brief) })
    clock.milliseconds += 1_000
    try await eventually { try outside.int64("SELECT count(*) FROM document_rows WHERE collection = '/n/'") == 0 }
    #expect(try outside.int64("SELECT count(*) FROM document_rows") == Int64(kept))
    // What is refused is tried again, and the writer has work of its own meanwhile.
    try outside.execute("DROP TRIGGER mine")
    try await eventually {
      _ = try await session.put("/a/", "1", "1")
      return try outside.int64("SELECT count(*) FROM document_rows WHERE collection = '/kept/'") == 0
    }
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test("Where writes only trickle, what has expired is cleared away all the same")
  func trickle() async throws {
    let clock = TestClock()
    var options = SQLiteStoreOptions()
    options.idleMilliseconds = 3_600_000
    options.sweepMilliseconds = 20
    let store = try StoreFixture(options: options, clock: clock)
    let session = try store.session()
    _ = try await session.write(Write.put("/e/", "1", "1").on(WriteTerms(lifetime: .milliseconds(1))))
    clock.milliseconds += 1
    let outside = try store.connect()
    try await eventually {
      _ = try await session.put("/a/", "1", "1")
      return try outside.int64("SELECT count(*) FROM changes WHERE kind = 'expired'") == 1
    }
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test("Large documents that expire together are cleared away a few at a time")
  func largeDocuments() async throws {
    let clock = TestClock()
    var options = SQLiteStoreOptions()
    options.idleMilliseconds = 3_600_000
    options.sweepMilliseconds = 1
    let store = try StoreFixture(options: options, clock: clock)
    let session = try store.session()
    let text = "\"" + String(repeating: "x", count: 1 << 19) + "\""
    for id in 0..<30 {
      _ = try await session.write(Write.put("/e/", "\(id)", text).on(WriteTerms(lifetime: .milliseconds(1_000))))
    }
    clock.milliseconds += 1_000
    let outside = try store.connect()
    try await eventually {
      _ = try await session.put("/a/", "1", "1")
      return try outside.int64("SELECT count(*) FROM document_rows WHERE collection = '/e/'") == 0
    }
    // Nine documents make more than the bound of a step, and behind each step there is a write.
    let most = try outside.int64(
      """
      SELECT max(length) FROM (
        SELECT count(*) AS length
        FROM (SELECT sequence - row_number() OVER (ORDER BY sequence) AS run FROM changes WHERE kind = 'expired')
        GROUP BY run)
      """)
    #expect(most.map { $0 <= 9 } == true, "\(String(describing: most))")
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }
}
