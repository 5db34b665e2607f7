import DocketStore
import DocketTestSupport
import Synchronization
import Testing

@testable import DocketSQLite

@Suite("Rows that are known of documents that are not at hand")
struct RowKeysTests {
  @Test("are told as they were last told, each to the name that it is of")
  func told() {
    let keys = RowKeys(limitBytes: 1 << 20)
    for id in 0..<10_000 {
      #expect(keys.key(hash: hash(id)) == nil)
    }
    for id in 0..<10_000 { keys.set(Int64(id) + 1, hash: hash(id)) }
    for id in 0..<5_000 { keys.set(Int64(id) + 100_001, hash: hash(id)) }
    // A bucket of eight may be full, and of two names with equal hashes the last one counts: both are rare.
    let wrong = (0..<10_000).count { keys.key(hash: hash($0)) != Int64($0) + ($0 < 5_000 ? 100_001 : 1) }
    #expect(wrong < 20, "\(wrong) of 10,000")
  }

  @Test("take no more than their share of memory: the newest are known, and some of the others")
  func bounded() {
    let keys = RowKeys(limitBytes: 10_000)
    for id in 0..<100_000 {
      keys.set(Int64(id) + 1, hash: hash(id))
      #expect(keys.key(hash: hash(id)) == Int64(id) + 1)
    }
    // 8,192 bytes in entries of 8.
    let known = (0..<100_000).count { keys.key(hash: hash($0)) == Int64($0) + 1 }
    #expect((900...1_024).contains(known), "\(known)")
  }

  @Test("Without room for any, and of keys beyond 40 bits, nothing is known")
  func none() {
    let without = RowKeys(limitBytes: 63)
    without.set(1, hash: hash(1))
    #expect(without.key(hash: hash(1)) == nil)
    let keys = RowKeys(limitBytes: 64)
    for key in [Int64.min, -1, 0, 1 << 40, .max] {
      keys.set(key, hash: hash(1))
      #expect(keys.key(hash: hash(1)) == nil, "\(key)")
    }
    keys.set(1 << 40 - 1, hash: hash(1))
    #expect(keys.key(hash: hash(1)) == 1 << 40 - 1)
  }

  @Test("A wrong guess is found out: what is read is the document of that name, or none")
  func wrongGuesses() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    for id in 0..<20 { _ = try await session.put("/c/", "\(id)", "\(id)") }
    let outside = try store.connect()
    let rows = RowKeys(limitBytes: 1 << 20)
    let reader = try SnapshotReader(
      outside, clock: .system, mark: SyncMark(), cache: DocumentCache(limitBytes: 0, rowKeys: rows))
    func read(_ id: Int) throws -> String? {
      defer { reader.end() }
      return try reader.document(at: DocumentPath("/c/", "\(id)")).get().map { String(buffer: $0.data) }
    }
    for id in 0..<20 { #expect(try read(id) == "\(id)") }
    let first = try #require(rows.key(hash: hash(0)))
    // Each document has the row of another one, a row that is not there, and its own.
    for id in 0..<20 { rows.set(first + Int64(id + 1) % 20, hash: hash(id)) }
    for id in 0..<20 { #expect(try read(id) == "\(id)") }
    #expect(rows.key(hash: hash(3)) == first + 3)
    rows.set(1_000_000, hash: hash(4))
    #expect(try read(4) == "4")
    rows.set(first, hash: hash(20))
    #expect(try read(20) == nil)
    reader.end()
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test("Threads may tell and ask at once: what is asked for is what some thread told")
  func threads() async {
    let keys = RowKeys(limitBytes: 4_096)
    let wrong = Atomic(0)
    await withTaskGroup(of: Int.self) { group in
      for _ in 0..<4 {
        group.addTask {
          var wrong = 0
          for step in 0..<50_000 {
            let id = step % 700
            keys.set(Int64(id) + 1, hash: hash(id))
            if let key = keys.key(hash: hash(id)), key != Int64(id) + 1 { wrong += 1 }
          }
          return wrong
        }
      }
      for await count in group { wrong.add(count, ordering: .relaxed) }
    }
    #expect(wrong.load(ordering: .relaxed) == 0)
  }
}

private func hash(_ id: Int) -> Int {
  Array("/c/\(id)".utf8).withUnsafeBytes { CachedDocumentTable.hash($0) }
}
