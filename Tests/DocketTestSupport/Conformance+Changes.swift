import DocketStore
import Foundation
import NIOConcurrencyHelpers
import NIOCore

extension RepositoryConformance {
  public static let changeChecks: [Check] = [
    Check("changes are told in the order of the commits, each with the documents as they were then") { repository in
      let (driver, feed) = (try SessionDriver(repository), try FollowDriver(repository))
      var writes = RandomWrites(generator: .forTest(named: "changes"))
      let model = try await randomHistory(&writes, driver)
      for withBefore in [false, true] {
        let expected = model.changes.map { model.told($0, withBefore: withBefore) }
        for _ in 0..<6 {
          // Pages that end by themselves, or where they are told to.
          let limit = Int.random(in: 1...60, using: &writes.generator)
          var (fed, read): ([Change], [Change]) = ([], [])
          for isFed in [true, false] {
            var progress = ChangeProgress(sequence: Revision(0), isAtEnd: false)
            while !progress.isAtEnd {
              let range = ChangeRange(after: progress.sequence, withBefore: withBefore, scanLimit: limit)
              let distance = Int64.random(in: 2...80, using: &writes.generator)
              let stop = Revision(progress.sequence.rawValue + distance)
              if isFed {
                let page = try await feed.changes(range, stopAt: stop)
                (fed, progress) = (fed + page.changes, page.progress)
              } else {
                let page = try await driver.changes(range, stopAt: stop)
                (read, progress) = (read + page.changes, page.progress)
              }
            }
            try expectEqual(progress.sequence, model.revision)
          }
          try expectSame(fed, expected)
          try expectSame(read, expected)
        }
      }
    },
    Check("only changes of interest are told, and the reading goes past the others") { repository in
      let (driver, feed) = (try SessionDriver(repository), try FollowDriver(repository))
      var writes = RandomWrites(generator: .forTest(named: "changes of interest"))
      let model = try await randomHistory(&writes, driver)
      for _ in 0..<60 {
        let (path, collection) = (writes.path(created: []), writes.collection())
        let isOfPath = Bool.random(using: &writes.generator)
        let interest = { @Sendable (other: DocumentPath) in isOfPath ? other == path : other.collection == collection }
        let after = Int64.random(in: 0...model.revision.rawValue, using: &writes.generator)
        let through = Int64.random(in: 0...model.revision.rawValue + 5, using: &writes.generator)
        let withBefore = Bool.random(using: &writes.generator)
        let range = ChangeRange(after: Revision(after), through: Revision(through), withBefore: withBefore)
        let (changes, progress) = try await feed.changes(range, of: interest)
        let expected = model.changes.filter {
          $0.sequence.rawValue > after && $0.sequence.rawValue <= through && interest($0.path)
        }
        try expectSame(changes, expected.map { model.told($0, withBefore: withBefore) })
        let end = max(after, min(through, model.revision.rawValue))
        try expectEqual(progress, ChangeProgress(sequence: Revision(end), isAtEnd: true))
        let none = try await feed.changes(ChangeRange(after: Revision(after), scanLimit: 3), of: { _ in false })
        let three = min(after + 3, model.revision.rawValue)
        try expectEqual(
          none.progress, ChangeProgress(sequence: Revision(three), isAtEnd: three == model.revision.rawValue))
        try expectEqual(none.changes, [])
      }
    },
    Check("the change at which a reading is told to stop is told again") { repository in
      let (driver, feed) = (try SessionDriver(repository), try FollowDriver(repository))
      _ = try await driver.writeAll((1...5).map { .put("/s/", "\($0)", "\($0)") })
      for stop in 1...5 as ClosedRange<Int64> {
        let range = ChangeRange(after: Revision(0))
        let first = try await feed.changes(range, stopAt: Revision(stop))
        try expectEqual(first.changes.map(\.sequence.rawValue), Array(1..<stop))
        try expectEqual(first.progress, ChangeProgress(sequence: Revision(stop - 1), isAtEnd: false))
        let rest = try await feed.changes(ChangeRange(after: first.progress.sequence))
        try expectEqual(rest.changes.map(\.sequence.rawValue), Array(stop...5))
        try expectEqual(rest.progress, ChangeProgress(sequence: Revision(5), isAtEnd: true))
      }
    },
    Check("what comes after a change that has not come is refused with the newest one") { repository in
      let (driver, feed) = (try SessionDriver(repository), try FollowDriver(repository))
      for newest in 0...2 as ClosedRange<Int64> {
        let range = ChangeRange(after: Revision(newest + 1))
        do {
          _ = try await feed.changes(range)
          throw Failure(description: "a change that has not come was read")
        } catch let error as StoreError {
          try expectEqual(error, .ahead(newest: Revision(newest)))
        }
        do {
          _ = try await driver.changes(range)
          throw Failure(description: "a change that has not come was read")
        } catch let error as StoreError {
          try expectEqual(error, .ahead(newest: Revision(newest)))
        }
        let end = try await feed.changes(ChangeRange(after: Revision(newest)))
        try expectEqual(end.progress, ChangeProgress(sequence: Revision(newest), isAtEnd: true))
        _ = try await driver.write(.put("/s/", "1", "\(newest)"))
      }
    },
    Check("the end of a document that expired is a change, whoever noticed it, and its next creation another") {
      repository in
      let (driver, feed) = (try SessionDriver(repository), try FollowDriver(repository))
      for round in 0..<20 {
        let lifetime: Lifetime? = round % 3 == 0 ? .milliseconds(1) : nil
        _ = try await driver.write(Write.put("/e/", "\(round % 4)", "\(round)").on(WriteTerms(lifetime: lifetime)))
        if round % 5 == 4 { _ = try await driver.write(.delete("/e/", "\((round + 1) % 4)")) }
        try await Task.sleep(for: .milliseconds(3))
      }
      let changes = try await feed.changes(ChangeRange(after: Revision(0), withBefore: true)).changes
      try expectEqual(changes.map(\.sequence.rawValue), Array(1...Int64(changes.count)))
      try expect(changes.contains { $0.kind == .expired }, "nothing has expired")
      for change in changes {
        let moment = PastMoment(revision: change.sequence)
        let earlier = PastMoment(revision: Revision(change.sequence.rawValue - 1))
        try expectEqual(change.document, try await driver.document(at: change.path, asOf: moment))
        try expectEqual(change.before, try await driver.document(at: change.path, asOf: earlier))
        let version = try await driver.versions(of: change.path)?.first { $0.revision == change.sequence }
        try expectEqual(version?.kind, change.kind)
        try expectEqual(version?.time, change.at)
      }
    },
    Check("the newest revision is the one that the tick's reads see, and the history has the name that it is told by") {
      repository in
      let (driver, feed) = (try SessionDriver(repository), try FollowDriver(repository))
      for newest in 0...20 as ClosedRange<Int64> {
        try expectEqual(try await driver.newestRevision(), Revision(newest))
        let status = try await driver.status()
        let told = try await feed.perform { $0.newest() }.get()
        try expectEqual(told.sequence, Revision(newest))
        try expectEqual(told.history, status.historyID)
        let read = try await driver.changes(ChangeRange(after: Revision(0)))
        try expectEqual(read.history, status.historyID)
        if newest > 0 {
          let document = try await driver.document(at: DocumentPath("/n/", "1"))
          try expectEqual(document?.revision, Revision(newest))
        }
        _ = try await driver.write(.put("/n/", "1", "\(newest)"))
      }
    },
    Check("a reader of changes finds documents as they were at a moment") { repository in
      let (driver, feed) = (try SessionDriver(repository), try FollowDriver(repository))
      _ = try await driver.writeAll([.put("/m/", "1", "1"), .put("/m/", "2", "2"), .put("/m/", "1", "3")])
      _ = try await driver.writeAll([.delete("/m/", "2"), .put("/o/", "1", "4")])
      for (revision, expected) in [(0, []), (2, ["1", "2"]), (3, ["3", "2"]), (5, ["3"])] as [(Int64, [String])] {
        let moment = PastMoment(revision: Revision(revision))
        let query = Query(scope: .collection(CollectionPath(unchecked: "/m/")), moment: moment)
        let found = try await feed.perform { reader in
          var texts: [String] = []
          return reader.query(query) { document in
            texts.append(String(decoding: document.data, as: UTF8.self))
            return .next
          }.map { _ in texts }
        }.get()
        try expectEqual(found, expected, "as of \(revision)")
        let one = try await feed.perform { $0.document(at: DocumentPath("/m/", "1"), asOf: moment) }.get()
        try expectEqual(one.map { String(buffer: $0.data) }, expected.first, "as of \(revision)")
      }
    },
    Check("who waits for changes is told every one, by several readers, and has nothing to do meanwhile") {
      repository in
      let driver = try SessionDriver(repository)
      let told = [NIOLockedValueBox<[Int64]>([]), NIOLockedValueBox<[Int64]>([])]
      let readings = NIOLockedValueBox(0)
      for box in told { _ = try repository.follow(urgently: true) { follow($0, into: box, readings: readings) } }
      for number in 1...200 as ClosedRange<Int64> {
        _ = try await driver.write(.put("/f/", "\(number % 7)", "\(number)"))
        // Each at rest, or several at once.
        if number % 3 == 0 { try await eventually { told.allSatisfy { $0.withLockedValue { $0.last } == number } } }
      }
      try await eventually { told.allSatisfy { $0.withLockedValue { $0.count } == 200 } }
      for box in told { try expectEqual(box.withLockedValue { $0 }, Array(1...200)) }
      let count = readings.withLockedValue { $0 }
      try await Task.sleep(for: .milliseconds(300))
      let idle = readings.withLockedValue { $0 } - count
      try expect(idle <= 4, "\(idle) readings while nothing was written")
    },
    Check("who does not wait for changes is not woken by them, but when told to, and when the time is up") {
      repository in
      let (driver, feed) = (try SessionDriver(repository), try FollowDriver(repository))
      let isAtIt = NIOLockedValueBox(false)
      async let isWoken = feed.perform { reader in
        isAtIt.withLockedValue { $0 = true }
        Thread.sleep(forTimeInterval: 0.05)
        return reader.wait(forChanges: false, milliseconds: nil)
      }
      try await eventually { isAtIt.withLockedValue { $0 } }
      // Two that are remembered are one.
      feed.wake()
      feed.wake()
      try expect(await isWoken, "it is closing")
      let began = ContinuousClock.now
      async let isOpen = feed.perform { $0.wait(forChanges: false, milliseconds: 150) }
      for number in 1...10 { _ = try await driver.write(.put("/f/", "1", "\(number)")) }
      try expect(await isOpen, "it is closing")
      try expect(ContinuousClock.now - began >= .milliseconds(140), "it was woken by a change")
      // Changes that it has seen do not wake it, nor do those within the bound of a reading that was for others. A store may
      // wake it once more for something of its own, such as a log that begins anew, but not each time.
      var isLeftAlone = false
      for _ in 1...20 where !isLeftAlone {
        _ = try await feed.changes(ChangeRange(after: Revision(0)))
        let again = ContinuousClock.now
        _ = await feed.perform { $0.wait(forChanges: true, milliseconds: 50) }
        isLeftAlone = ContinuousClock.now - again >= .milliseconds(40)
      }
      try expect(isLeftAlone, "it was woken by what it has seen")
      _ = try await driver.write(.put("/f/", "1", "0"))
      _ = try await feed.changes(ChangeRange(after: Revision(0), through: Revision(3)))
      let late = ContinuousClock.now
      _ = await feed.perform { $0.wait(forChanges: true, milliseconds: 60_000) }
      try expect(ContinuousClock.now - late < .milliseconds(30_000), "a change was lost")
    },
    Check("a store that closes ends those who wait, reads included, and waits for them", closesRepository: true) {
      repository in
      let driver = try SessionDriver(repository)
      _ = try await driver.writeAll((1...100).map { .put("/f/", "\($0)", "\($0)") })
      let ended = NIOLockedValueBox<[String]>([])
      for name in ["for changes", "for none"] {
        _ = try repository.follow(urgently: true) { reader in
          while reader.wait(forChanges: name == "for changes", milliseconds: nil) {
            _ = reader.changes(ChangeRange(after: Revision(0)), of: { _, _ in true }, visit: { _ in .next })
          }
          Thread.sleep(forTimeInterval: 0.05)
          ended.withLockedValue { $0.append(name) }
        }
      }
      try await Task.sleep(for: .milliseconds(20))
      await driver.close()
      await close(repository)
      try expectEqual(ended.withLockedValue { $0.sorted() }, ["for changes", "for none"])
      do {
        _ = try repository.follow(urgently: true) { _ in }
        throw Failure(description: "a store that was closed is followed")
      } catch let error as StoreError {
        try expectEqual(error, .closed)
      }
    },
  ]

  /// Makes random writes, one by one and in batches, and returns the model of them.
  private static func randomHistory(_ writes: inout RandomWrites, _ driver: SessionDriver) async throws -> DocumentModel
  {
    var model = DocumentModel()
    func now() -> Timestamp { Timestamp(milliseconds: model.revision.rawValue) }
    while model.changes.count < 300 {
      if Int.random(in: 0..<4, using: &writes.generator) == 0 {
        let batch = (0..<Int.random(in: 1...6, using: &writes.generator)).map { _ in writes.writeToPath() }
        try await driver.batch(batch)
        model.beginBatch()
        for write in batch { _ = model.apply(write, now: now(), newID: { "" }) }
        model.endBatch()
      } else {
        let write = writes.writeToPath()
        _ = try await driver.writeAll([write])
        _ = model.apply(write, now: now(), newID: { "" })
      }
    }
    return model
  }

  /// Compares all but times, which a model has of its own.
  private static func expectSame(_ found: [Change], _ expected: [Change]) throws {
    try expectEqual(found.map(\.sequence), expected.map(\.sequence))
    for (found, expected) in zip(found, expected) {
      let what = "change \(expected.sequence), \(expected.kind) \(expected.path)"
      try expectEqual(found.kind, expected.kind, what)
      try expectEqual(found.path, expected.path, what)
      try expectEqual(found.batch, expected.batch, what)
      try expectEqual(found.defect, nil, what)
      for (found, expected) in [(found.document, expected.document), (found.before, expected.before)] {
        try expectEqual(found?.path, expected?.path, what)
        try expectEqual(found?.revision, expected?.revision, what)
        try expectEqual(found?.data, expected?.data, what)
      }
      if let document = found.document { try expectEqual(document.updated, found.at, what) }
    }
    try expect(zip(found, found.dropFirst()).allSatisfy { $0.at <= $1.at }, "times fall")
  }

  /// Tells the sequences of all changes as they come, until the store closes.
  private static func follow(
    _ reader: any ChangeReader, into told: NIOLockedValueBox<[Int64]>, readings: NIOLockedValueBox<Int>
  ) {
    var after = Revision(0)
    while reader.wait(forChanges: true, milliseconds: nil) {
      readings.withLockedValue { $0 += 1 }
      var found: [Int64] = []
      let result = reader.changes(
        ChangeRange(after: after), of: { _, _ in true },
        visit: { change in
          found.append(change.sequence.rawValue)
          return .next
        })
      guard case .success(let progress) = result else { continue }
      after = progress.sequence
      told.withLockedValue { $0 += found }
    }
  }

  private static func eventually(_ condition: () -> Bool) async throws {
    for _ in 0..<5_000 {
      if condition() { return }
      try await Task.sleep(for: .milliseconds(2))
    }
    throw Failure(description: "it did not happen")
  }
}
