import DocketStore
import Foundation
import NIOConcurrencyHelpers
import NIOCore

extension RepositoryConformance {
  static let answerChecks: [Check] = [
    Check("every completion is called once, on the executor") { repository in
      let driver = try SessionDriver(repository)
      let calls = NIOLockedValueBox<[Int]>(Array(repeating: 0, count: 200 * 4))
      let strayed = NIOLockedValueBox(0)
      let call: @Sendable (Int) -> Void = { index in
        calls.withLockedValue { $0[index] += 1 }
        if !driver.isOnExecutor { strayed.withLockedValue { $0 += 1 } }
      }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for n in 0..<200 {
          let (sent, done) = AsyncStream<Void>.makeStream()
          driver.tick { session in
            session.document(at: DocumentPath("/c/", "1")) { _ in
              call(n * 4)
              done.yield()
            }
            session.submit(n % 5 == 0 ? .delete("/c/", "1") : .put("/c/", "1", "\(n)")) { _ in
              call(n * 4 + 1)
              done.yield()
            }
            session.scan(
              CollectionPath(unchecked: "/c/"), after: nil, into: 0, visit: { _, _ in .stop },
              completion: { _ in
                call(n * 4 + 2)
                done.yield()
              })
            session.status { _ in
              call(n * 4 + 3)
              done.yield()
            }
          }
          group.addTask {
            var answers = 0
            for await _ in sent {
              answers += 1
              if answers == 4 { break }
            }
          }
        }
        try await group.waitForAll()
      }
      // One more round trip of each kind, so that a second call of an earlier completion has had its chance.
      _ = try await driver.write(.put("/c/", "2", "2"))
      _ = try await driver.page(CollectionPath(unchecked: "/c/"))
      await driver.drain()
      try expectEqual(calls.withLockedValue { $0.filter { $0 != 1 }.count }, 0, "completions not called exactly once")
      try expectEqual(strayed.withLockedValue { $0 }, 0, "completions off the executor")
    },
    Check("closing the repository finishes and answers the writes it has taken", closesRepository: true) { repository in
      let driver = try SessionDriver(repository)
      let answers = NIOLockedValueBox<[Result<WriteOutcome, StoreError>]>([])
      driver.tick { session in
        for n in 0..<100 {
          session.submit(.put("/c/", "\(n)", "\(n)")) { result in answers.withLockedValue { $0.append(result) } }
        }
      }
      await driver.drain()
      await close(repository)
      await driver.drain()
      let outcomes = try answers.withLockedValue { answers in try answers.map { try $0.get() } }
      try expectEqual(outcomes.count, 100, "answers")
    },
    Check("a closed repository refuses writes", closesRepository: true) { repository in
      let driver = try SessionDriver(repository)
      _ = try await driver.write(.put("/c/", "1", "1"))
      await close(repository)
      try expectEqual(try await driver.writeAll([.put("/c/", "2", "2")]), [.failure(.closed)])
    },
    Check("closing a session keeps its writes and forgets its completions") { repository in
      let driver = try SessionDriver(repository)
      let other = try SessionDriver(repository)
      let calls = NIOLockedValueBox(0)
      driver.tick { session in
        for n in 0..<50 { session.submit(.put("/c/", "\(n)", "1")) { _ in calls.withLockedValue { $0 += 1 } } }
      }
      // The executor is busy from here until the session is closed, so no answer can slip in between.
      await driver.close()
      let callsAtClose = calls.withLockedValue { $0 }
      // Each write of the other session is acknowledged by a commit of its own; the 50 come to be in one of the first.
      var found = 0
      for _ in 0..<1_000 where found < 50 {
        _ = try await other.write(.put("/other/", "1", "1"))
        found = try await other.page(CollectionPath(unchecked: "/c/")).count
      }
      try expectEqual(found, 50, "writes of the closed session")
      await driver.drain()
      try expectEqual(calls.withLockedValue { $0 }, callsAtClose, "completions called after close")
    },
    Check("a store that is well does not report a failure") { repository in
      let waiting = Task { try await repository.waitForFailure() }
      _ = try await SessionDriver(repository).write(.put("/c/", "1", "1"))
      waiting.cancel()
      if case .success(let error) = await waiting.result {
        throw Failure(description: "reported \(error)")
      }
    },
  ]
}
