import DocketStore
import DocketTestSupport
import Foundation
import Logging
import Testing

@testable import DocketSQLite

/// A clock that a test moves.
final class TestClock: @unchecked Sendable {
  private let lock = NSLock()
  private var time: Int64

  init(_ milliseconds: Int64 = 1_800_000_000_000) { time = milliseconds }

  var milliseconds: Int64 {
    get { lock.withLock { time } }
    set { lock.withLock { time = newValue } }
  }

  var wallClock: WallClock { WallClock { self.milliseconds } }
}

/// A store on a new file, and the means to look at the file from outside.
///
/// It is unchecked because only the task of its test uses it; what it hands out is Sendable by itself.
final class StoreFixture: @unchecked Sendable {
  let directory: TemporaryDirectory
  let path: String
  let clock: TestClock?
  var options: SQLiteStoreOptions
  private(set) var repository: SQLiteRepository

  /// - Parameters:
  ///   - clock: nil takes the system's.
  ///   - syncLog: what is done in the place of syncing the log.
  init(
    options: SQLiteStoreOptions = SQLiteStoreOptions(), clock: TestClock? = TestClock(),
    syncLog: (@Sendable () -> String?)? = nil
  ) throws {
    directory = try TemporaryDirectory()
    path = directory.file("docket.db")
    self.clock = clock
    self.options = options
    // What a test can see does not depend on syncing, which takes most of the time of small groups.
    self.options.durability = .normal
    // A machine that is busy may take long for anything. Tests of deadlines set their own.
    let usual = SQLiteStoreOptions()
    for deadline in [
      \SQLiteStoreOptions.scanDeadlineMilliseconds, \.queryDeadlineMilliseconds, \.batchDeadlineMilliseconds,
    ] where options[keyPath: deadline] == usual[keyPath: deadline] {
      self.options[keyPath: deadline] = 600_000
    }
    if let syncLog {
      repository = try SQLiteRepository(
        DatabaseFile.open(path), options: self.options, clock: clock?.wallClock ?? .system,
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, syncLog: syncLog)
    } else {
      repository = try Self.open(path, self.options, clock)
    }
  }

  static func open(
    _ path: String, _ options: SQLiteStoreOptions, _ clock: TestClock?
  ) throws -> SQLiteRepository {
    try SQLiteRepository.open(
      path: path, options: options, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
      clock: clock?.wallClock ?? .system)
  }

  func session() throws -> SessionDriver { try SessionDriver(repository) }

  deinit { repository.close() }

  /// Closes the store and opens the file anew.
  func restart() throws {
    repository.close()
    repository = try Self.open(path, options, clock)
  }

  /// Closes the store and checks that the file is sound and stands alone.
  /// - Parameter planted: kinds of faults that the test itself has put into the file.
  func closeAndCheck(
    but planted: Set<DatabaseCheck.Finding.Kind> = [], sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    repository.close()
    #expect(!FileManager.default.fileExists(atPath: path + "-wal"), sourceLocation: sourceLocation)
    #expect(!FileManager.default.fileExists(atPath: path + "-shm"), sourceLocation: sourceLocation)
    try checkIntegrity(but: planted, sourceLocation: sourceLocation)
  }

  /// Whatever a test has done to the store, a check of the file finds no fault.
  func checkIntegrity(
    but planted: Set<DatabaseCheck.Finding.Kind> = [], sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let faults = try DatabaseCheck.run(path: path).findings.filter { $0.kind.isFault && !planted.contains($0.kind) }
    #expect(faults == [], sourceLocation: sourceLocation)
  }

  func rename(_ old: String, to new: String) throws {
    try FileManager.default.moveItem(atPath: old, toPath: new)
  }

  /// A connection such as another process would have.
  func connect() throws -> Connection {
    let connection = try Connection(path: path, access: .write)
    connection.setBusyTimeout(milliseconds: 5_000)
    return connection
  }
}

extension SessionDriver {
  func put(_ collection: String, _ id: String, _ json: String) async throws -> Revision? {
    try await write(.put(collection, id, json)).revision
  }

  func text(_ collection: String, _ id: String) async throws -> String? {
    try await document(at: DocumentPath(collection, id)).map { String(buffer: $0.data) }
  }
}

/// Waits for something that another thread will do in its own time.
func eventually(
  sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async throws {
  for _ in 1...5_000 {
    if try await condition() { return }
    try await Task.sleep(for: .milliseconds(2))
  }
  Issue.record("it did not happen", sourceLocation: sourceLocation)
}
