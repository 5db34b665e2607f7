import DocketStore
import DocketTestSupport
import Foundation
import NIOConcurrencyHelpers
import NIOCore
import Testing

@testable import DocketSQLite

@Suite("The feed of changes")
struct FeedTests {
  private let all = ChangeRange(after: Revision(0))

  private func text(_ document: Document?) -> String? { document.map { String(buffer: $0.data) } }

  // MARK: Who writes

  @Test("Who waits is told what sqlite3 writes, a transaction as a whole")
  func foreignWrites() async throws {
    let store = try StoreFixture(clock: nil)
    let feed = try FollowDriver(store.repository)
    let outside = try store.connect()
    var after = Revision(0)
    for round in 1...10 {
      _ = try await feed.changes(ChangeRange(after: after))
      async let isOpen = feed.perform { $0.wait(forChanges: true, milliseconds: 60_000) }
      try await Task.sleep(for: .milliseconds(20))
      try outside.execute(
        """
        BEGIN;
        INSERT OR REPLACE INTO documents(collection, id, data)
          WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
          SELECT '/o/', i % 1000, json_array(i, \(round)) FROM n;
        COMMIT
        """)
      #expect(await isOpen)
      let (changes, progress) = try await feed.changes(ChangeRange(after: after))
      #expect(changes.count == 3_000 && progress.isAtEnd)
      #expect(changes.map { text($0.document) } == (1...3_000).map { "[\($0),\(round)]" })
      after = progress.sequence
    }
    outside.close()
    try store.closeAndCheck()
  }

  @Test(
    "No change is lost between a reading and the wait behind it, however the two meet", arguments: [0, 200, 2_000])
  func hammer(syncMicroseconds: UInt32) async throws {
    let store = try StoreFixture(
      clock: nil,
      syncLog: {
        if syncMicroseconds > 0 { usleep(syncMicroseconds) }
        return nil
      })
    let count = 2_000
    let told = NIOLockedValueBox<[[Int64]]>([[], []])
    for number in 0..<2 {
      _ = try store.repository.follow(urgently: true) { reader in
        var after = Revision(0)
        // Nothing else wakes it within the time of the test but what it waits for.
        while reader.wait(forChanges: true, milliseconds: nil) {
          var found: [Int64] = []
          let result = reader.changes(
            ChangeRange(after: after, scanLimit: 1_000_000), of: { _, _ in true },
            visit: { change in
              found.append(change.sequence.rawValue)
              return .next
            })
          if case .success(let progress) = result { after = progress.sequence }
          told.withLockedValue { $0[number] += found }
        }
      }
    }
    let session = try store.session()
    for number in 1...count {
      _ = try await session.put("/h/", "\(number % 10)", "\(number)")
      // Now and then the reader is to be at rest, and must be told without the help of the next write.
      if number % 50 == 0 {
        try await eventually { told.withLockedValue { $0.allSatisfy { $0.last == Int64(number) } } }
      }
    }
    for told in told.withLockedValue({ $0 }) { #expect(told == Array(1...Int64(count))) }
    await session.close()
    try store.closeAndCheck()
  }

  @Test("What this process writes is told with its sync, not with the next look at what others write")
  func promptness() async throws {
    var options = SQLiteStoreOptions()
    options.feedLookMilliseconds = 600_000
    let store = try StoreFixture(options: options, clock: nil)
    let told = NIOLockedValueBox<Int64>(0)
    _ = try store.repository.follow(urgently: true) { reader in
      var after = Revision(0)
      while reader.wait(forChanges: true, milliseconds: nil) {
        let result = reader.changes(
          ChangeRange(after: after), of: { _, _ in true },
          visit: { change in
            told.withLockedValue { $0 = change.sequence.rawValue }
            return .next
          })
        if case .success(let progress) = result { after = progress.sequence }
      }
    }
    let session = try store.session()
    for number in 1...40 as ClosedRange<Int64> {
      // Sometimes at rest, sometimes not yet.
      try await Task.sleep(for: .milliseconds(number % 8))
      _ = try await session.put("/p/", "1", "\(number)")
      try await eventually { told.withLockedValue { $0 } == number }
    }
    await session.close()
    try store.closeAndCheck()
  }

  @Test("The writer tells of a sync once, and of its failure whoever asks")
  func syncs() async throws {
    let mark = SyncMark()
    let told = NIOLockedValueBox<[String]>([])
    @Sendable func tell(_ what: String) { told.withLockedValue { $0.append(what) } }
    #expect(!mark.whenSynced(1) { tell("sync \($0)") })
    mark.onFailure { tell("failure") }
    for commit in 1...3 as ClosedRange<Int64> {
      mark.willCommit()
      mark.didSync(commit)
    }
    #expect(told.withLockedValue { $0 } == ["sync true"])
    #expect(mark.newestSynced == 3)
    mark.didFail(.closed)
    mark.didFail(.closed)
    mark.onFailure { tell("late") }
    #expect(told.withLockedValue { $0 } == ["sync true", "failure", "late"])
  }

  // MARK: Durability

  @Test("Nothing is told before it is synced")
  func durable() async throws {
    let permits = DispatchSemaphore(value: 0)
    let isOpen = NIOLockedValueBox(false)
    let store = try StoreFixture(
      options: Self.quiet,
      syncLog: {
        if !isOpen.withLockedValue({ $0 }) { permits.wait() }
        return nil
      })
    let (session, feed) = (try store.session(), try FollowDriver(store.repository))
    let outside = try store.connect()
    let told = NIOLockedValueBox<[String]>([])
    async let written: Void = {
      _ = try await session.put("/a/", "1", "1")
      told.withLockedValue { $0.append("write") }
    }()
    try await eventually { try outside.int64("SELECT count(*) FROM changes") == 1 }
    async let read: Void = {
      let changes = try await feed.changes(all).changes
      told.withLockedValue { $0.append("changes \(changes.count)") }
    }()
    async let asked: Void = {
      let newest = try await feed.perform { $0.newest() }.get()
      told.withLockedValue { $0.append("newest \(newest.sequence)") }
    }()
    let isDurable = NIOLockedValueBox<Bool?>(nil)
    session.tick { $0.newestRevision().map(\.rawValue) == .success(1) ? () : isDurable.withLockedValue { $0 = false } }
    session.outsideTick { session in
      let already = session.readsAreDurable { durable in isDurable.withLockedValue { $0 = durable } }
      if already { isDurable.withLockedValue { $0 = false } }
    }
    await session.drain()
    try await Task.sleep(for: .milliseconds(100))
    #expect(told.withLockedValue { $0 } == [])
    #expect(isDurable.withLockedValue { $0 } == nil)
    isOpen.withLockedValue { $0 = true }
    permits.signal()
    _ = try await (written, read, asked)
    #expect(told.withLockedValue { Set($0) } == ["write", "changes 1", "newest 1"])
    try await eventually { isDurable.withLockedValue { $0 } == true }
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test("What was not synced is not told when the sync fails, and who waits is told that it is over")
  func failure() async throws {
    let begun = DispatchSemaphore(value: 0)
    let store = try StoreFixture(
      options: Self.quiet,
      syncLog: {
        begun.wait()
        return "the disk is broken"
      })
    let (session, feed) = (try store.session(), try FollowDriver(store.repository))
    let idle = try FollowDriver(store.repository)
    let outside = try store.connect()
    // It may be woken once by being told to wait.
    let isOver = idle.begin { reader in
      (0..<3).contains { _ in !reader.wait(forChanges: false, milliseconds: 60_000) }
    }
    async let written = session.writeAll([.put("/a/", "1", "1")])
    try await eventually { try outside.int64("SELECT count(*) FROM changes") == 1 }
    let read = feed.beginChanges(all)
    try await Task.sleep(for: .milliseconds(20))
    begun.signal()
    let unknown = StoreError.outcomeUnknown(reason: "the disk is broken")
    if case .failure(let error) = await read.value {
      #expect(error == unknown)
    } else {
      Issue.record("the change is told")
    }
    #expect(await isOver.value)
    _ = try await written
    outside.close()
    await session.close()
    store.repository.close()
  }

  private static let quiet = {
    var options = SQLiteStoreOptions()
    options.idleMilliseconds = 3_600_000
    return options
  }()

  // MARK: Retention

  @Test("What somebody has yet to read stays, whatever its age, and goes once it was read", arguments: [0, 7])
  func keepChanges(days: Int) async throws {
    let clock = TestClock()
    var options = SQLiteStoreOptions()
    options.idleMilliseconds = 5
    options.historyDays = days
    let store = try StoreFixture(options: options, clock: clock)
    let (session, feed) = (try store.session(), try FollowDriver(store.repository))
    let outside = try store.connect()
    store.repository.keepChanges(after: Revision(0))
    // More than a group of the writer's calls for a step of the pruner.
    for round in 1...3 {
      _ = try await session.writeAll((1...1_000).map { .put("/k/", "\($0 % 10)", "\(round)") } + [.delete("/k/", "1")])
      clock.milliseconds += 30 * 86_400_000
    }
    _ = try await session.put("/k/", "2", "1")
    try await Task.sleep(for: .milliseconds(50))
    #expect(try outside.int64("SELECT min(sequence) FROM changes") == 1)
    #expect(try await feed.changes(all).changes.count == 3_004)
    store.repository.keepChanges(after: Revision(2_500))
    try await eventually { try outside.int64("SELECT min(sequence) FROM changes") == 2_501 }
    try await Task.sleep(for: .milliseconds(50))
    #expect(try outside.int64("SELECT min(sequence) FROM changes") == 2_501)
    #expect(try outside.string("SELECT group_concat(sequence) FROM tombstones") == "3003")
    #expect(try await feed.changes(ChangeRange(after: Revision(2_500))).changes.count == 504)
    await #expect(throws: StoreError.historyGone(oldest: Revision(2_500))) {
      try await feed.changes(ChangeRange(after: Revision(2_499)))
    }
    await #expect(throws: StoreError.historyGone(oldest: Revision(2_500))) { try await session.changes(all) }
    store.repository.keepChanges(after: nil)
    _ = try await session.writeAll((1...1_000).map { .put("/k/", "\($0 % 10)", "4") })
    clock.milliseconds += 30 * 86_400_000
    _ = try await session.put("/k/", "2", "1")
    try await eventually { try outside.int64("SELECT min(sequence) FROM changes") ?? 0 > 3_004 }
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  // MARK: Documents

  @Test(
    "A document that is no JSON is told as such, now and as it was, and the feed goes on", arguments: ["x", "a\0b"])
  func defects(text: String) async throws {
    let store = try StoreFixture()
    let (session, feed) = (try store.session(), try FollowDriver(store.repository))
    _ = try await session.writeAll([.put("/d/", "1", "1"), .put("/d/", "2", "2"), .put("/d/", "3", "3")])
    let outside = try store.connect()
    let update = try outside.prepare("UPDATE document_rows SET data = ?1 WHERE id <> '3'")
    update.bind(text, at: 1)
    try update.run()
    _ = try await session.put("/d/", "2", "22")
    let changes = try await feed.changes(ChangeRange(after: Revision(0), withBefore: true)).changes
    #expect(changes.map { self.text($0.document) } == [nil, nil, "3", "22"])
    #expect(changes.map { self.text($0.before) } == [nil, nil, nil, nil])
    for (change, isDefective) in zip(changes, [true, true, false, false]) {
      if case .invalidDocument(change.path, _)? = change.defect { #expect(isDefective) } else { #expect(!isDefective) }
    }
    // Whatever was done to the tables, there is an answer.
    try outside.execute(
      """
      UPDATE changes SET previous = NULL; DELETE FROM document_rows WHERE id = '1';
      UPDATE changes SET before = NULL; DELETE FROM changes WHERE sequence = 2
      """)
    let broken = try await feed.changes(all)
    #expect(broken.changes.map(\.sequence.rawValue) == [1, 3, 4])
    #expect(broken.changes.map { self.text($0.document) } == [nil, "3", "22"])
    #expect(broken.changes[0].defect != nil)
    #expect(broken.progress == ChangeProgress(sequence: Revision(4), isAtEnd: true))
    update.reset()
    outside.close()
    await session.close()
    store.repository.close()
  }

  @Test("Large documents come one by one, and what is not wanted is skipped, however large it was")
  func large() async throws {
    var options = SQLiteStoreOptions()
    options.historyFloorBytes = 1 << 30
    let store = try StoreFixture(options: options)
    let (session, feed) = (try store.session(), try FollowDriver(store.repository))
    func large(_ number: Int) -> String { "\"" + String(repeating: "\(number % 10)", count: (1 << 20) - 2) + "\"" }
    for number in 1...60 {
      _ = try await session.put("/l/", "\(number % 2)", large(number))
      if number % 20 == 0 { _ = try await session.put("/s/", "1", "\(number)") }
    }
    let read = NIOLockedValueBox(Int64(0))
    let small = try await feed.perform { reader in
      let before = Self.bytesRead()
      var found: [String?] = []
      let result = reader.changes(
        ChangeRange(after: Revision(0)), of: { collection, _ in collection.elementsEqual("/s/".utf8) },
        visit: { change in
          found.append(change.document.map { String(buffer: $0.data) })
          return .next
        })
      read.withLockedValue { $0 = Self.bytesRead() - before }
      return result.map { _ in found }
    }.get()
    #expect(small == ["20", "40", "60"])
    // 58 MiB of before-images are in between.
    #expect(read.withLockedValue { $0 } < 4 << 20)
    let sizes = try await feed.perform { reader in
      var sizes: [Int] = []
      return reader.changes(
        ChangeRange(after: Revision(0), withBefore: true),
        of: { collection, _ in collection.elementsEqual("/l/".utf8) },
        visit: { change in
          sizes.append((change.document?.data.readableBytes ?? 0) + (change.before?.data.readableBytes ?? 0))
          return .next
        }
      ).map { _ in sizes }
    }.get()
    #expect(sizes == Array(repeating: 1 << 20, count: 2) + Array(repeating: 2 << 20, count: 58))
    await session.close()
    try store.closeAndCheck()
  }

  /// What this thread has read from files, by its own account.
  private static func bytesRead() -> Int64 {
    let text = (try? String(contentsOfFile: "/proc/thread-self/io", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("rchar:") }
    return line.flatMap { Int64($0.dropFirst("rchar:".count).trimmingCharacters(in: .whitespaces)) } ?? 0
  }

  @Test(
    "A document with many versions among many others is read in a time that grows with them and not with their square")
  func manyVersions() async throws {
    var options = SQLiteStoreOptions()
    options.historyFloorBytes = 1 << 30
    let store = try StoreFixture(options: options)
    let (session, feed) = (try store.session(), try FollowDriver(store.repository))
    for start in stride(from: 0, to: 60_000, by: 10_000) {
      _ = try await session.writeAll(
        (start..<start + 10_000).map { .put("/v/", $0 % 10 == 0 ? "hot" : "\($0 % 1_000)", "\($0)") })
    }
    let began = ContinuousClock.now
    let page = ChangeRange(after: Revision(0), scanLimit: 100_000)
    let hot = try await feed.changes(page, of: { $0.id == "hot" })
    #expect(hot.changes.map { text($0.document) } == (0..<6_000).map { "\($0 * 10)" })
    let all = try await feed.changes(page)
    #expect(all.changes.map { text($0.document) } == (0..<60_000).map(String.init))
    // A sanitizer takes most of that for itself.
    let isSanitized = ProcessInfo.processInfo.environment["DOCKET_TEST_SANITIZER"] != nil
    #expect(isSanitized || ContinuousClock.now - began < .seconds(30))
    await session.close()
    try store.closeAndCheck()
  }

  @Test("A session's reading of changes is ended by its deadline")
  func deadline() async throws {
    var options = SQLiteStoreOptions()
    options.scanDeadlineMilliseconds = 1
    options.historyFloorBytes = 1 << 30
    let store = try StoreFixture(options: options)
    let session = try store.session()
    for start in stride(from: 0, to: 40_000, by: 10_000) {
      _ = try await session.writeAll((start..<start + 10_000).map { .put("/a/", "\($0)", "\($0)") })
    }
    await #expect(throws: StoreError.deadlineExceeded) {
      try await session.changes(ChangeRange(after: Revision(0), scanLimit: 100_000))
    }
    await session.close()
    try store.closeAndCheck()
  }
}
