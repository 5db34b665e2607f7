import Dispatch
import DocketStore
import DocketTestSupport
import Glibc
import NIOConcurrencyHelpers
import Testing

@testable import DocketSQLite

@Suite("Checkpoints")
struct CheckpointTests {
  private static let pageBytes = 4_096
  private static let text = "\"" + String(repeating: "x", count: 3_000) + "\""

  private func logBytes(_ store: StoreFixture) -> Int {
    var status = stat()
    return stat(store.path + "-wal", &status) == 0 ? Int(status.st_size) : 0
  }

  private static func options(idleMilliseconds: Int64) -> SQLiteStoreOptions {
    var options = SQLiteStoreOptions()
    options.checkpointPages = 100
    options.groupWrites = 16
    options.idleMilliseconds = idleMilliseconds
    return options
  }

  /// A query that stays at the first document that it finds.
  private struct StayingQuery {
    static let all = Query(scope: .everything, filter: .all([]), order: nil)
    private let session: SessionDriver
    private let task: Task<Void, any Error>
    private let isOver = DispatchSemaphore(value: 0)

    /// It has begun then.
    init(_ store: StoreFixture) async throws {
      session = try store.session()
      let isInside = NIOLockedValueBox(false)
      task = Task { [session, isOver] in
        try await session.query(Self.all) {
          isInside.withLockedValue { $0 = true }
          isOver.wait()
        }
      }
      try await eventually { isInside.withLockedValue { $0 } }
    }

    func letGo() { isOver.signal() }

    func end() async {
      _ = try? await task.value
      await session.close()
    }
  }

  @Test("Writes without a pause do not let the log grow far beyond its bound")
  func boundsLog() async throws {
    let store = try StoreFixture(options: Self.options(idleMilliseconds: 600_000))
    let session = try store.session()
    _ = try await session.writeAll((1...2_000).map { .put("/a/", "\($0)", Self.text) })
    #expect(logBytes(store) < 200 * Self.pageBytes)
    #expect(logBytes(store) > 0)
    await session.close()
    try store.closeAndCheck()
  }

  @Test("Queries that follow one another without a gap do not let the log grow without end, and none is forgotten")
  func endlessQueries() async throws {
    var options = Self.options(idleMilliseconds: 600_000)
    options.checkpointPages = 50
    let store = try StoreFixture(options: options)
    let session = try store.session()
    _ = try await session.writeAll((1...8_000).map { .put("/a/", "\($0)", Self.text) })
    let isOver = NIOLockedValueBox(false)
    let zero = Array("0".utf8).withUnsafeBytes { QueryValue(token: $0) }
    let query = Query(scope: .everything, filter: .test(.revision, .less(zero)), order: nil)
    // Each begins before the one before has ended: there are two threads for them.
    let queries = try (0..<6).map { _ in
      let own = try store.session()
      return Task {
        var count = 0
        while !isOver.withLockedValue({ $0 }) {
          let found = try await own.query(query)
          #expect(found.isEmpty)
          count += 1
        }
        await own.close()
        return count
      }
    }
    for _ in 1...300 {
      _ = try await session.writeAll((1...20).map { .put("/b/", "\($0)", Self.text) })
      // A query is to take as long as a few groups, not as all of them.
      try await Task.sleep(for: .milliseconds(10))
    }
    isOver.withLockedValue { $0 = true }
    for query in queries { #expect(try await query.value > 0) }
    // All that is written is 14,000 pages. The file is as long as the log has been at most.
    #expect(logBytes(store) < 7_000 * Self.pageBytes, "\(logBytes(store) / Self.pageBytes) pages")
    await session.close()
    try store.closeAndCheck()
  }

  @Test(
    "So it is beside readings of changes, one behind the other, each of which is looked through for long",
    arguments: [false, true])
  func endlessChanges(urgently: Bool) async throws {
    var options = Self.options(idleMilliseconds: 600_000)
    options.checkpointPages = 50
    let store = try StoreFixture(options: options)
    let session = try store.session()
    _ = try await session.put("/a/", "1", "1")
    let isOver = NIOLockedValueBox(false)
    let readings = NIOLockedValueBox(0)
    _ = try store.repository.follow(urgently: urgently) { reader in
      while !isOver.withLockedValue({ $0 }) {
        _ = reader.changes(ChangeRange(after: Revision(0)), of: { _, _ in true }) { _ in
          readings.withLockedValue { $0 += 1 }
          usleep(40_000)
          return .stop
        }
      }
    }
    for _ in 1...200 { _ = try await session.writeAll((1...20).map { .put("/b/", "\($0)", Self.text) }) }
    #expect(readings.withLockedValue { $0 } > 3)
    isOver.withLockedValue { $0 = true }
    // All that is written is some 9,000 pages.
    #expect(logBytes(store) < 4_000 * Self.pageBytes, "\(logBytes(store) / Self.pageBytes) pages")
    await session.close()
    try store.closeAndCheck()
  }

  @Test("A closed gate lets those out that are inside, and nobody in until it opens or the store closes")
  func gate() async throws {
    let gate = ReaderGate(patienceMilliseconds: 600_000)
    gate.enter()
    gate.close()
    #expect(gate.isClosed && gate.waitsForReaders)
    gate.leave()
    #expect(!gate.waitsForReaders)
    let entered = NIOLockedValueBox(0)
    func visitor() -> WorkerThread {
      WorkerThread(name: "visitor") {
        gate.enter()
        entered.withLockedValue { $0 += 1 }
        gate.leave()
      }
    }
    let first = visitor()
    usleep(20_000)
    #expect(entered.withLockedValue { $0 } == 0)
    gate.open()
    first.join()
    gate.close()
    let second = visitor()
    usleep(20_000)
    // It is closed again before anybody has woken.
    gate.open()
    gate.close()
    try await eventually { entered.withLockedValue { $0 } == 2 }
    let third = visitor()
    gate.end()
    for visitor in [second, third] { visitor.join() }
    #expect(entered.withLockedValue { $0 } == 3)
  }

  @Test("Whoever closed a gate waits for those inside no longer than they who wait outside")
  func patience() {
    let gate = ReaderGate(patienceMilliseconds: 20)
    gate.enter()
    #expect(!gate.waitsForReaders)
    gate.close()
    #expect(gate.waitsForReaders)
    gate.enter()
    #expect(gate.isClosed && !gate.waitsForReaders)
    gate.open()
    gate.leave()
    gate.leave()
    gate.close()
    #expect(!gate.waitsForReaders)
  }

  @Test("Reads that wait for the log to begin anew go on where another process keeps the writer from writing")
  func lockedOut() async throws {
    var options = Self.options(idleMilliseconds: 600_000)
    options.checkpointPages = 20
    options.busyTimeoutMilliseconds = 60_000
    // Less than a read waits at a closed gate, and not the usual one, which the fixture would raise.
    options.queryDeadlineMilliseconds = 8_000
    let store = try StoreFixture(options: options)
    let session = try store.session()
    _ = try await session.put("/a/", "1", "1")
    let staying = try await StayingQuery(store)
    // Far more than twice what the log should have: no read begins until that one has ended.
    for _ in 1...20 { _ = try await session.writeAll((1...10).map { .put("/b/", "\($0)", Self.text) }) }
    let other = try store.connect()
    try other.execute("BEGIN IMMEDIATE")
    let waiting = try store.session()
    let write = Task { try await waiting.put("/c/", "1", "1") }
    let second = try store.session()
    let ten = Query(scope: .collection(.init(unchecked: "/b/")), filter: .all([]), order: nil)
    let found = try? await second.query(ten)
    staying.letGo()
    #expect(found?.count == 10)
    try other.execute("ROLLBACK")
    other.close()
    _ = try await write.value
    await staying.end()
    for session in [session, waiting, second] { await session.close() }
    try store.closeAndCheck()
  }

  /// A store whose log is long and held up by a query, and whose writer has been at rest several times.
  private static func behindClosedGate() async throws -> (StoreFixture, SessionDriver, StayingQuery) {
    var options = options(idleMilliseconds: 5)
    options.checkpointPages = 20
    options.gatePatienceMilliseconds = 600_000
    let store = try StoreFixture(options: options)
    let session = try store.session()
    _ = try await session.put("/a/", "1", "1")
    let staying = try await StayingQuery(store)
    for _ in 1...20 { _ = try await session.writeAll((1...10).map { .put("/b/", "\($0)", text) }) }
    try await Task.sleep(for: .milliseconds(400))
    return (store, session, staying)
  }

  @Test("A pause between writes lets no read in beside those that hold a long log up, until it has begun anew")
  func pauses() async throws {
    let (store, session, staying) = try await Self.behindClosedGate()
    let lengthAtEntry = NIOLockedValueBox<Int?>(nil)
    let second = try store.session()
    let next = Task {
      try await second.query(StayingQuery.all) {
        let length = logBytes(store)
        lengthAtEntry.withLockedValue { $0 = $0 ?? length }
      }
    }
    try await Task.sleep(for: .milliseconds(200))
    #expect(lengthAtEntry.withLockedValue { $0 } == nil)
    staying.letGo()
    try await next.value
    #expect(lengthAtEntry.withLockedValue { $0 } == 0)
    await staying.end()
    for session in [session, second] { await session.close() }
    try store.closeAndCheck()
  }

  @Test("Who tells of what is new waits behind a closed gate for a moment, and for what is short not at all")
  func urgentReadings() async throws {
    let (store, session, staying) = try await Self.behindClosedGate()
    let patient = try FollowDriver(store.repository, urgently: false)
    let urgent = try FollowDriver(store.repository)
    let hasRead = NIOLockedValueBox(false)
    let catchingUp = patient.begin { reader in
      let result = reader.changes(ChangeRange(after: Revision(0)), of: { _, _ in true }) { _ in .stop }
      hasRead.withLockedValue { $0 = true }
      return result.map { _ in true }
    }
    #expect(try await urgent.perform { $0.newest() }.get().sequence == Revision(201))
    #expect(try await urgent.perform { $0.tokens() }.get().tokens.isEmpty)
    _ = try await urgent.perform { $0.changes(ChangeRange(after: Revision(0)), of: { _, _ in true }) { _ in .stop } }
      .get()
    #expect(!hasRead.withLockedValue { $0 })
    staying.letGo()
    #expect(try await catchingUp.value.get())
    await staying.end()
    await session.close()
    try store.closeAndCheck()
  }

  @Test("A writer at rest empties the log")
  func emptiesLog() async throws {
    let store = try StoreFixture(options: Self.options(idleMilliseconds: 5))
    let session = try store.session()
    _ = try await session.put("/a/", "1", Self.text)
    try await eventually { logBytes(store) == 0 }
    await session.close()
    try store.closeAndCheck()
  }

  @Test("A reader that stays lets the log grow and stops no write; once it goes, the log begins anew")
  func stayingReader() async throws {
    let store = try StoreFixture(options: Self.options(idleMilliseconds: 600_000))
    let session = try store.session()
    _ = try await session.put("/a/", "1", "1")
    let reader = try store.connect()
    try reader.execute("BEGIN; SELECT * FROM documents")
    for _ in 1...4 { _ = try await session.writeAll((1...100).map { .put("/a/", "\($0)", Self.text) }) }
    let grown = logBytes(store)
    #expect(grown > 300 * Self.pageBytes)
    #expect(try reader.string("SELECT data FROM document_rows") == "1")
    reader.close()
    for _ in 1...8 { _ = try await session.writeAll((1...100).map { .put("/a/", "\($0)", Self.text) }) }
    // The file keeps its length when the log begins anew; what grows on is only a log that does not.
    #expect(logBytes(store) < grown + 200 * Self.pageBytes)
    await session.close()
    try store.closeAndCheck()
  }
}
