import DocketStore
import DocketTestSupport
import Testing

@testable import DocketSQLite

@Suite("The past, as far as it is kept")
struct PastReaderTests {
  private func moment(_ revision: Int64) -> PastMoment { PastMoment(revision: Revision(revision)) }

  @Test("Before the horizon only what is still known for certain is told, the rest is refused with the horizon")
  func horizon() async throws {
    let clock = TestClock()
    var options = SQLiteStoreOptions()
    options.idleMilliseconds = 5
    options.historyDays = 7
    let store = try StoreFixture(options: options, clock: clock)
    let session = try store.session()
    // 1, 2: still; 3: changed later; 4, 5: gone before the horizon; 6: created, gone and created again.
    _ = try await session.writeAll([
      .put("/a/", "still", "1"), .put("/a/", "changed", "1"), .put("/a/", "changed", "2"), .put("/a/", "gone", "1"),
      .delete("/a/", "gone"), .put("/a/", "again", "1"), .delete("/a/", "again"),
    ])
    let early = clock.milliseconds
    clock.milliseconds += 8 * 86_400_000
    let late = clock.milliseconds
    _ = try await session.writeAll([
      .put("/a/", "changed", "3"), .put("/a/", "again", "2"), .put("/a/", "changed", "4"),
    ])
    let outside = try store.connect()
    try await eventually { try outside.int64("SELECT min(sequence) FROM changes") == 8 }
    outside.close()

    func text(_ id: String, _ revision: Int64) async throws -> String? {
      try await session.document(at: DocumentPath("/a/", id), asOf: moment(revision)).map { String(buffer: $0.data) }
    }
    for (id, revision, expected) in [
      ("still", 7, "1"), ("still", 1, "1"), ("still", 10, "1"), ("changed", 9, "3"), ("changed", 8, "3"),
      ("changed", 7, "2"), ("again", 9, "2"), ("again", 8, nil), ("again", 7, nil), ("gone", 7, nil), ("never", 7, nil),
      // The change after it is kept, and says what was before.
      ("changed", 3, "2"),
    ] as [(String, Int64, String?)] {
      #expect(try await text(id, revision) == expected, "\(id) as of \(revision)")
    }
    for (id, revision) in [("changed", 2), ("gone", 4), ("again", 6), ("again", 5), ("never", 1)] as [(String, Int64)] {
      await #expect(throws: StoreError.historyGone(oldest: Revision(7)), "\(id)") { try await text(id, revision) }
    }
    let collection = CollectionPath(unchecked: "/a/")
    #expect(try await session.page(collection, asOf: moment(7)).map(\.path.id) == ["changed", "still"])
    await #expect(throws: StoreError.historyGone(oldest: Revision(7))) {
      try await session.page(collection, asOf: moment(6))
    }

    let versions = try await session.versions(of: DocumentPath("/a/", "changed")) ?? []
    #expect(versions.map(\.revision.rawValue) == [10, 8, 3])
    #expect(versions.map(\.kind) == [.updated, .updated, nil])
    #expect(versions.map(\.bytes) == [1, 1, 1] && versions.last?.time.milliseconds == early)
    #expect(try await session.versions(of: DocumentPath("/a/", "still"))?.map(\.kind) == [Version.Kind?.none])
    #expect(try await session.versions(of: DocumentPath("/a/", "again"))?.map(\.revision.rawValue) == [9])
    #expect(try await session.versions(of: DocumentPath("/a/", "gone")) == nil)

    #expect(try await session.revision(at: Timestamp(milliseconds: late)) == Revision(10))
    await #expect(throws: StoreError.historyGone(oldest: Revision(7))) {
      try await session.revision(at: Timestamp(milliseconds: late - 1))
    }
    await session.close()
    try store.closeAndCheck()
  }

  @Test("A document of 100,000 versions is read as of any, and its collection too, in as many steps as it takes")
  func longChain() async throws {
    var options = SQLiteStoreOptions()
    options.scanDeadlineMilliseconds = 60_000
    options.historyFloorBytes = 1 << 30
    let store = try StoreFixture(options: options)
    let session = try store.session()
    for start in stride(from: 0, to: 100_000, by: 10_000) {
      _ = try await session.writeAll((start..<start + 10_000).map { .put("/a/", "long", "\($0)") })
    }
    _ = try await session.writeAll([.put("/a/", "z", "1"), .delete("/a/", "z")])
    for revision in [1, 2, 50_000, 99_999, 100_000] as [Int64] {
      let document = try await session.document(at: DocumentPath("/a/", "long"), asOf: moment(revision))
      #expect(document.map { String(buffer: $0.data) } == "\(revision - 1)")
      #expect(document?.revision == Revision(revision))
    }
    #expect(try await session.page(CollectionPath(unchecked: "/a/"), asOf: moment(1)).map(\.path.id) == ["long"])
    let z = try await session.page(CollectionPath(unchecked: "/a/"), asOf: moment(100_001))
    #expect(z.map { String(buffer: $0.data) } == ["99999", "1"])
    #expect(try await session.versions(of: DocumentPath("/a/", "long"))?.count == 100_000)
    await session.close()
    try store.closeAndCheck()
  }

  @Test("A walk that takes longer than the deadline is ended by it")
  func deadline() async throws {
    var options = SQLiteStoreOptions()
    options.scanDeadlineMilliseconds = 1
    let store = try StoreFixture(options: options)
    let session = try store.session()
    for start in stride(from: 0, to: 60_000, by: 10_000) {
      _ = try await session.writeAll((start..<start + 10_000).map { .put("/a/", "long", "\($0)") })
    }
    await #expect(throws: StoreError.deadlineExceeded) {
      try await session.document(at: DocumentPath("/a/", "long"), asOf: moment(1))
    }
    await #expect(throws: StoreError.deadlineExceeded) { try await session.versions(of: DocumentPath("/a/", "long")) }
    // However often that happens, no thread keeps a snapshot: SQLite would refuse it another one.
    for _ in 0..<1_000 { _ = try? await session.document(at: DocumentPath("/a/", "long"), asOf: moment(1)) }
    let newest = try await session.put("/b/", "1", "1")
    for _ in 0..<20 {
      #expect(try await patiently { try await session.status().revision } == newest)
      #expect(try await patiently { try await session.page(CollectionPath(unchecked: "/b/")).count } == 1)
      let document = DocumentPath("/b/", "1")
      #expect(try await patiently { try await session.document(at: document, asOf: moment(60_001)) } != nil)
    }
    await session.close()
    try store.closeAndCheck()
  }

  /// Tries again what took too long, as it may where much else is going on.
  private func patiently<Value>(_ read: () async throws -> Value) async throws -> Value {
    while true {
      do {
        return try await read()
      } catch StoreError.deadlineExceeded {}
    }
  }
}
