import DocketStore
import Foundation
import NIOConcurrencyHelpers
import NIOCore

extension RepositoryConformance {
  static let orderChecks: [Check] = [
    Check("writes of one session take effect in the order in which they were submitted") { repository in
      let driver = try SessionDriver(repository)
      let path = DocumentPath("/o/", "1")
      let results = try await driver.writeAll([
        .put("/o/", "1", "{\"n\":[1]}"), .mergePatch("/o/", "1", "{\"m\":2}"), .delete("/o/", "1"),
        .mergePatch("/o/", "1", "{\"m\":3}"), .put("/o/", "1", "{\"n\":4}"), .mergePatch("/o/", "1", "{\"n\":5}"),
      ])
      let revisions = try results.map { try $0.get().revision }
      for index in [0, 1, 2, 4, 5] { try expect(revisions[index] != nil, "write \(index) answered \(results[index])") }
      try expectEqual(results[3], .success(.notFound))
      try expectEqual(revisions.compactMap { $0 }, revisions.compactMap { $0 }.sorted())
      try expectEqual(try await driver.document(at: path)?.data, ByteBuffer(string: "{\"n\":5}"))
    },
    Check("writes of ticks that did not wait for each other keep their order") { repository in
      let driver = try SessionDriver(repository)
      let outcomes = NIOLockedValueBox<[Int]>([])
      await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
        for n in 1...300 {
          driver.tick { session in
            session.submit(.put("/o/", "1", "\(n)")) { _ in
              let isLast = outcomes.withLockedValue { outcomes in
                outcomes.append(n)
                return outcomes.count == 300
              }
              if isLast { continuation.resume() }
            }
          }
        }
      }
      try expectEqual(outcomes.withLockedValue { $0 }, Array(1...300), "order of the answers")
      try expectEqual(
        try await driver.document(at: DocumentPath("/o/", "1"))?.data, ByteBuffer(string: "300"))
    },
    Check("a read sees every write that was acknowledged before, whoever made it") { repository in
      let drivers = [try SessionDriver(repository), try SessionDriver(repository), try SessionDriver(repository)]
      let path = DocumentPath("/o/", "1")
      for n in 0..<90 {
        let outcome = try await drivers[n % 3].write(.put(path, data: ByteBuffer(string: "\(n)")))
        for reader in drivers {
          let document = try await reader.document(at: path)
          try expectEqual(document?.revision, outcome.revision)
          try expectEqual(document?.data, ByteBuffer(string: "\(n)"))
        }
        try expectEqual(try await drivers[(n + 1) % 3].page(path.collection).first?.revision, outcome.revision)
      }
    },
    Check("the reads of one tick are of one snapshot") { repository in
      let reader = try SessionDriver(repository)
      let writer = try SessionDriver(repository)
      let (a, b) = (DocumentPath("/o/", "a"), DocumentPath("/o/", "b"))
      _ = try await writer.writeAll([.put("/o/", "a", "1"), .put("/o/", "b", "1")])
      let written = DispatchSemaphore(value: 0)
      let firstRead = DispatchSemaphore(value: 0)
      let seen = NIOLockedValueBox<[Result<Document?, StoreError>]>([])
      let record: @Sendable (Result<Document?, StoreError>) -> Void = { result in
        seen.withLockedValue { $0.append(result) }
      }
      reader.tick { session in
        session.document(at: a, completion: record)
        firstRead.signal()
        written.wait()
        session.document(at: a, completion: record)
        session.document(at: b, completion: record)
      }
      await wait(for: firstRead)
      _ = try await writer.writeAll([.put("/o/", "a", "2"), .put("/o/", "b", "2")])
      written.signal()
      await reader.drain()
      let data = try seen.withLockedValue { seen in try seen.map { try $0.get()?.data } }
      try expectEqual(data, Array(repeating: ByteBuffer(string: "1"), count: 3))
      try expectEqual(try await reader.document(at: b)?.data, ByteBuffer(string: "2"))
    },
    Check("a tick in which nothing is asked is harmless") { repository in
      let driver = try SessionDriver(repository)
      for _ in 0..<10 { driver.tick { _ in } }
      _ = try await driver.write(.put("/o/", "1", "1"))
      try expect(try await driver.document(at: DocumentPath("/o/", "1")) != nil, "the write is gone")
    },
  ]

  private static func wait(for semaphore: DispatchSemaphore) async {
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async {
        semaphore.wait()
        continuation.resume()
      }
    }
  }
}
