import DocketStore
import DocketTestSupport
import Testing

@testable import DocketSQLite

@Suite("Documents kept at hand")
struct DocumentCacheTests {
  @Test(
    "are never stale, whoever writes, however many changes there were and whatever has been pruned",
    arguments: [(2_000, 0), (2_000, 16 << 20), (0, 512), (16 << 20, 16 << 20)])
  func neverStale(cacheBytes: Int, rowKeyBytes: Int) async throws {
    let clock = TestClock()
    var options = SQLiteStoreOptions()
    options.documentCacheBytes = cacheBytes
    options.rowKeyBytes = rowKeyBytes
    options.idleMilliseconds = 3
    options.historyDays = 1
    let store = try StoreFixture(options: options, clock: clock)
    let (reader, writer) = (try store.session(), try store.session())
    let outside = try store.connect()
    var generator = SeededGenerator.forTest(named: "the document cache")
    var known: [String: String] = [:]
    for step in 0..<600 {
      let id = "\(Int.random(in: 0..<20, using: &generator))"
      switch Int.random(in: 0..<12, using: &generator) {
      case 0..<3:
        _ = try await writer.put("/c/", id, "\(step)")
        known[id] = "\(step)"
      case 3:
        try outside.execute("INSERT OR REPLACE INTO documents(collection, id, data) VALUES ('/c/', '\(id)', '\(step)')")
        known[id] = "\(step)"
      case 4:
        try outside.execute("DELETE FROM documents WHERE collection = '/c/' AND id = '\(id)'")
        known[id] = nil
      case 5:
        // Most of them are of documents that are not at hand.
        let writes = (0..<Int.random(in: 1...6_000, using: &generator)).map { Write.put("/other/", "\($0 % 50)", "1") }
        _ = try await writer.writeAll(writes + [.put("/c/", id, "\(step)")])
        known[id] = "\(step)"
      case 6 where step % 5 == 0:
        clock.milliseconds += 2 * 86_400_000
        _ = try await writer.put("/c/", id, "\(step)")
        known[id] = "\(step)"
      default:
        #expect(try await reader.text("/c/", id) == known[id], "step \(step), document \(id)")
      }
    }
    for id in 0..<20 { #expect(try await reader.text("/c/", "\(id)") == known["\(id)"]) }
    outside.close()
    await reader.close()
    await writer.close()
    try store.closeAndCheck()
  }

  @Test("end when they expire, without a word of the store")
  func expiry() async throws {
    let clock = TestClock()
    var options = SQLiteStoreOptions()
    options.idleMilliseconds = 3_600_000
    options.sweepMilliseconds = 3_600_000
    let store = try StoreFixture(options: options, clock: clock)
    let session = try store.session()
    _ = try await session.write(Write.put("/c/", "1", "1").on(WriteTerms(lifetime: .milliseconds(1_000))))
    #expect(try await session.text("/c/", "1") == "1")
    clock.milliseconds += 999
    #expect(try await session.text("/c/", "1") == "1")
    clock.milliseconds += 1
    #expect(try await session.text("/c/", "1") == nil)
    await session.close()
    try store.closeAndCheck()
  }

  @Test("take no more than their share of memory, and what is read again and again stays")
  func bounded() {
    let cache = DocumentCache(limitBytes: 100_000, rowKeys: RowKeys(limitBytes: 0))
    func hold(_ id: Int, bytes: Int) {
      cache.hold("/c/\(id)", String(repeating: "1", count: bytes))
    }
    func holds(_ id: Int) -> Bool { cache.data("/c/\(id)").map { $0.allSatisfy { $0 == "1" } } ?? false }
    for id in 0..<10_000 {
      hold(id, bytes: 100)
      #expect(holds(0))
    }
    let held = (0..<10_000).count(where: holds)
    #expect(held * 100 < 100_000 && held > 50)
    // One that is too large for it does not push the others out.
    hold(-1, bytes: 90_000)
    #expect(!holds(-1))
  }

  @Test("let in few that take another one's place, and all that do not")
  func admission() {
    let cache = DocumentCache(limitBytes: 100_000, rowKeys: RowKeys(limitBytes: 0))
    func letsIn(_ id: Int) -> Bool {
      cache.hold("/c/\(id)", String(repeating: "1", count: 100))
      return cache.data("/c/\(id)") != nil
    }
    // As many as there is room for.
    #expect((0..<200).allSatisfy(letsIn))
    _ = (200..<2_000).map(letsIn)
    // One in eight, by a lot that is the same each time.
    let count = (2_000..<10_000).count(where: letsIn)
    #expect((800...1_200).contains(count), "\(count)")
    // One that is there stays when it changes, and one that is asked for again and again gets in.
    guard let known = (0..<10_000).last(where: { cache.data("/c/\($0)") != nil }) else {
      Issue.record("nothing is held")
      return
    }
    #expect((0..<100).allSatisfy { _ in letsIn(known) })
    #expect((0..<100).contains { _ in letsIn(-1) })
    // Room that was made is room.
    cache.removeAll()
    #expect((0..<200).allSatisfy(letsIn))
  }

  @Test("are found, replaced and removed like those of a dictionary")
  func likeADictionary() {
    var generator = SeededGenerator.forTest(named: "the cache beside a dictionary")
    let cache = DocumentCache(limitBytes: 16 << 20, rowKeys: RowKeys(limitBytes: 0))
    var model: [String: String] = [:]
    for step in 0..<200_000 {
      let name = "/c/\(Int.random(in: 0..<2_000, using: &generator))"
      switch Int.random(in: 0..<10, using: &generator) {
      case 0..<4:
        cache.hold(name, "\(step)")
        model[name] = "\(step)"
      case 4..<7:
        Array(name.utf8).withUnsafeBytes { cache.remove($0) }
        model[name] = nil
      case 7 where step % 1_000 == 0:
        cache.removeAll()
        model = [:]
      default:
        #expect(cache.data(name) == model[name])
      }
    }
    #expect(cache.isEmpty == model.isEmpty)
  }
}

extension DocumentCache {
  fileprivate func hold(_ name: String, _ data: String) {
    let fields = CachedDocument.Fields(key: 1, revision: 1, created: 1, updated: 1, expires: nil)
    Array(name.utf8).withUnsafeBytes { name in
      Array(data.utf8).withUnsafeBytes { data in hold(fields, name: name, data: data) }
    }
  }

  fileprivate func data(_ name: String) -> String? {
    Array(name.utf8).withUnsafeBytes { name in
      document(name).map { found in
        #expect(found.name.elementsEqual(name))
        return String(decoding: found.data, as: UTF8.self)
      }
    }
  }
}
