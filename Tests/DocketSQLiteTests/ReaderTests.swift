import Dispatch
import DocketStore
import DocketTestSupport
import Glibc
import NIOConcurrencyHelpers
import Testing

@testable import DocketSQLite

@Suite("Reads")
struct ReaderTests {
  @Test("All reads of a tick see one state, which is taken by the first of them")
  func snapshot() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    _ = try await session.put("/a/", "1", "1")
    let seen = NIOLockedValueBox<[String]>([])
    session.tick { session in
      func read() {
        session.document(at: DocumentPath("/a/", "1")) { result in
          let text = (try? result.get()).flatMap { $0 }.map { String(buffer: $0.data) } ?? "nothing"
          seen.withLockedValue { $0.append(text) }
        }
      }
      func change(_ value: Int) { try? store.connect().execute("UPDATE documents SET data = '\(value)'") }
      change(2)
      read()
      change(3)
      read()
    }
    #expect(try await session.text("/a/", "1") == "3")
    #expect(seen.withLockedValue { $0 } == ["2", "2"])
    await session.close()
    try store.closeAndCheck()
  }

  @Test("No more scans wait than may, and one that is refused says how many those are")
  func scanQueue() async throws {
    var options = SQLiteStoreOptions()
    options.scanQueueLength = 1
    let store = try StoreFixture(options: options)
    let session = try store.session()
    _ = try await session.put("/a/", "1", "1")
    let gate = DispatchSemaphore(value: 0)
    let entered = NIOLockedValueBox(0)
    let refusals = NIOLockedValueBox<[StoreError]>([])
    let answers = NIOLockedValueBox(0)
    func scan() {
      session.tick { session in
        session.scan(
          CollectionPath(unchecked: "/a/"), after: nil, into: 0,
          visit: { _, _ in
            entered.withLockedValue { $0 += 1 }
            gate.wait()
            return .next
          },
          completion: { result in
            if case .failure(let error) = result { refusals.withLockedValue { $0.append(error) } }
            answers.withLockedValue { $0 += 1 }
          })
      }
    }
    // Two threads scan, one scan waits, and there is no place for the fourth.
    for count in 1...2 {
      scan()
      try await eventually { entered.withLockedValue { $0 } == count }
    }
    scan()
    scan()
    try await eventually { answers.withLockedValue { $0 } == 1 }
    #expect(refusals.withLockedValue { $0 } == [.tooManyScans(limit: 1)])
    for _ in 1...3 { gate.signal() }
    try await eventually { answers.withLockedValue { $0 } == 4 }
    #expect(refusals.withLockedValue { $0.count } == 1)
    await session.close()
    try store.closeAndCheck()
  }

  @Test("A scan that takes too long is ended, also between two rows")
  func deadline() async throws {
    var options = SQLiteStoreOptions()
    options.scanDeadlineMilliseconds = 10
    let store = try StoreFixture(options: options)
    let session = try store.session()
    _ = try await session.writeAll((1...100).map { .put("/a/", "\($0)", "1") })
    let visits = NIOLockedValueBox(0)
    let result = await withCheckedContinuation { continuation in
      session.tick { session in
        session.scan(
          CollectionPath(unchecked: "/a/"), after: nil, into: 0,
          visit: { _, _ in
            visits.withLockedValue { $0 += 1 }
            usleep(20_000)
            return .next
          }, completion: { continuation.resume(returning: $0) })
      }
    }
    #expect(result == .failure(.deadlineExceeded))
    // None, where the machine was so busy that the deadline passed before the first row.
    #expect(visits.withLockedValue { $0 } <= 1)
    await session.close()
    try store.closeAndCheck()
  }

  @Test("Closing the store ends the scans that run")
  func closing() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    _ = try await session.writeAll([.put("/a/", "1", "1"), .put("/a/", "2", "1")])
    let gate = DispatchSemaphore(value: 0)
    let (visits, visited) = AsyncStream<Void>.makeStream()
    async let result = withCheckedContinuation { continuation in
      session.tick { session in
        session.scan(
          CollectionPath(unchecked: "/a/"), after: nil, into: 0,
          visit: { _, _ in
            visited.yield()
            gate.wait()
            return .next
          }, completion: { continuation.resume(returning: $0) })
      }
    }
    for await _ in visits { break }
    // It waits for the scan, so it has a thread of its own, and not one of those that tasks share.
    let closing = WorkerThread(name: "test-close") { store.repository.close() }
    // That the end has begun shows in another scan, which is refused.
    try await eventually {
      await withCheckedContinuation { continuation in
        session.tick { session in
          session.scan(
            CollectionPath(unchecked: "/none/"), after: nil, into: 0, visit: { _, _ in .next },
            completion: { continuation.resume(returning: $0 == .failure(.closed)) })
        }
      }
    }
    gate.signal()
    #expect(await result == .failure(.closed))
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async {
        closing.join()
        continuation.resume()
      }
    }
    await session.close()
    try store.checkIntegrity()
  }
}
