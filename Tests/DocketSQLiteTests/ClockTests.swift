import DocketStore
import DocketTestSupport
import NIOCore
import Testing

@testable import DocketSQLite

@Suite("Clocks that jump")
struct ClockTests {
  @Test("Forwards and back by hours: what lives and what has expired is what the clock says, and changes stay in order")
  func jumps() async throws {
    let clock = TestClock()
    var options = SQLiteStoreOptions()
    // Nothing is cleared away meanwhile: what was, cannot come back when the clock does.
    options.idleMilliseconds = 3_600_000
    options.sweepMilliseconds = 3_600_000
    let store = try StoreFixture(options: options, clock: clock)
    let session = try store.session()
    var generator = SeededGenerator.forTest(named: "clocks that jump")
    var model = DocumentModel()
    var created: [String] = []
    for step in 0..<200 {
      clock.milliseconds += Int64.random(in: -3_600_000...3_600_000, using: &generator)
      let now = Timestamp(milliseconds: clock.milliseconds)
      let id = "\(Int.random(in: 0..<6, using: &generator))"
      let lifetime = Int64.random(in: 1...7_200_000, using: &generator)
      let write =
        switch Int.random(in: 0..<5, using: &generator) {
        case 0: Write.put("/c/", id, "\(step)")
        case 1, 2: Write.put("/c/", id, "\(step)").on(WriteTerms(lifetime: .milliseconds(lifetime)))
        case 3: Write.mergePatch("/c/", id, "{}").on(WriteTerms(condition: .exists))
        default: Write.create(in: "/c/", "\(step)").on(WriteTerms(lifetime: .milliseconds(lifetime)))
        }
      let outcome = try await session.write(write)
      if case .created(let path, _) = outcome, case .create = write.action { created.append(path.id) }
      #expect(
        model.apply(write, now: now, newID: { created.last ?? "" }) == .success(outcome), "step \(step): \(write)")
      let live = model.documents(in: CollectionPath(unchecked: "/c/"), now: now)
      let page = try await session.page(CollectionPath(unchecked: "/c/"))
      #expect(page.map(\.path) == live.map(\.path), "step \(step)")
      #expect(page.map(\.data) == live.map(\.data), "step \(step)")
    }
    #expect(created == created.sorted() && Set(created).count == created.count)
    let outside = try store.connect()
    #expect(
      try outside.int64(
        "SELECT count(*) FROM changes a JOIN changes b ON b.sequence = a.sequence + 1 WHERE b.at < a.at")
        == 0)
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test("What is kept under a key ends by the clock, whichever way it goes")
  func keptAnswers() async throws {
    let clock = TestClock()
    let store = try StoreFixture(clock: clock)
    let session = try store.session()
    func isDone(_ fingerprint: UInt64 = 1) async throws -> Bool {
      let outcome = try await session.transact(
        Transaction(.single, bytes: 1, key: IdempotencyKey(name: "k", fingerprint: fingerprint)) { access in
          access.submit(.create(in: "/c/", "1")) { _ in }
          return TransactionResult(0, keepsWrites: true, kept: ByteBuffer(string: "kept"))
        })
      if case .answered = outcome { return true } else { return false }
    }
    let day: Int64 = 86_400_000
    #expect(try await isDone())
    clock.milliseconds += day - 1
    #expect(try await !isDone())
    clock.milliseconds -= 3 * day
    #expect(try await !isDone())
    clock.milliseconds += 3 * day + 1
    #expect(try await isDone(2), "after a day the key is free again")
    #expect(try await !isDone(2))
    #expect(try await session.page(CollectionPath(unchecked: "/c/")).count == 2)
    await session.close()
    try store.closeAndCheck(but: [.answer])
  }
}
