import DocketStore
import DocketTestSupport
import Foundation
import Testing

@testable import DocketSQLite

@Suite("Backups under load")
struct BackupLoadTests {
  /// How many: `DOCKET_TEST_BACKUPS`.
  private static let rounds =
    ProcessInfo.processInfo.environment["DOCKET_TEST_BACKUPS"].flatMap { Int($0) } ?? 50

  @Test("each is sound, holds every write acknowledged before it began, and each batch whole or not at all")
  func underWrites() async throws {
    let fixture = try BackupFixture()
    var options = SQLiteStoreOptions()
    options.backupFolder = fixture.folder
    // Small, so that it is backups and not changes whose number the time of the test grows with.
    options.historyFloorBytes = 128 << 10
    let store = try StoreFixture(options: options, clock: nil)
    let writers = (0..<4).map { LoadWriter(number: $0) }
    let isDone = LoadWriter.End()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in writers {
        let session = try store.session()
        group.addTask {
          try await writer.run(session, until: isDone)
          await session.close()
        }
      }
      let session = try store.session()
      for round in 0..<Self.rounds {
        let acknowledged = writers.map(\.acknowledged)
        let name = "\(round).db"
        let made = try await session.makeBackup(name)
        let copy = fixture.file(name)
        let report = try DatabaseCheck.run(path: copy)
        #expect(report.findings == [] && report.newestChange ?? 0 == made.revision.rawValue, "round \(round)")
        let connection = try Connection(path: copy, access: .write)
        for (writer, atLeast) in zip(writers, acknowledged) {
          let newest =
            try connection.int64(
              "SELECT data FROM documents WHERE collection = '/writer\(writer.number)/' AND id = 'newest'") ?? 0
          #expect(newest >= atLeast, "round \(round)")
          // A batch writes one number under many ids.
          let batch = try connection.string(
            "SELECT count(*) || '/' || count(DISTINCT data) FROM documents WHERE collection = '/batch\(writer.number)/'"
          )
          #expect(["0/0", "\(LoadWriter.batchSize)/1"].contains(batch), "round \(round)")
        }
        connection.close()
        #expect(try await session.removeBackup(try #require(BackupName(name))))
      }
      isDone.set()
      try await group.waitForAll()
      await session.close()
    }
    #expect(writers.allSatisfy { $0.acknowledged > 0 })
    #expect(try fixture.names == [])
    try store.closeAndCheck()
  }
}

/// Writes as fast as it is answered: a document with a number that grows, then a batch of many with that number.
private final class LoadWriter: Sendable {
  final class End: Sendable {
    private let isSet = Monitor(false)
    var hasCome: Bool { isSet.withLock { $0 } }
    func set() { isSet.withLock { $0 = true } }
  }

  let number: Int
  private let newest = Monitor<Int64>(0)

  static let batchSize = 10

  init(number: Int) { self.number = number }

  /// The last number whose write was acknowledged.
  var acknowledged: Int64 { newest.withLock { $0 } }

  func run(_ session: SessionDriver, until end: End) async throws {
    let number = number
    var value: Int64 = 0
    while !end.hasCome {
      value += 1
      let text = "\(value)"
      _ = try await session.write(.put("/writer\(number)/", "newest", text))
      newest.withLock { $0 = value }
      _ = try await session.transact(
        Transaction(.batch, bytes: 100, key: nil) { access in
          for id in 0..<Self.batchSize { access.submit(.put("/batch\(number)/", "\(id)", text)) { _ in } }
          return TransactionResult(0, keepsWrites: true, kept: nil)
        })
    }
  }
}
