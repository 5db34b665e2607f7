import Dispatch
import DocketStore
import Foundation
import Logging
import NIOCore
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
final class StoreFixture {
  let directory: TemporaryDirectory
  let path: String
  let clock: TestClock
  var options: SQLiteStoreOptions
  private(set) var repository: SQLiteRepository

  init(options: SQLiteStoreOptions = SQLiteStoreOptions(), clock: TestClock = TestClock()) throws {
    directory = try TemporaryDirectory()
    path = directory.file("docket.db")
    self.clock = clock
    self.options = options
    repository = try Self.open(path, options, clock)
  }

  private static func open(
    _ path: String, _ options: SQLiteStoreOptions, _ clock: TestClock
  ) throws -> SQLiteRepository {
    try SQLiteRepository.open(
      path: path, options: options, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
      clock: clock.wallClock)
  }

  func session() throws -> TestSession { try TestSession(repository) }

  /// Closes the store and opens the file anew.
  func restart() throws {
    repository.close()
    repository = try Self.open(path, options, clock)
  }

  /// Closes the store and checks that the file is sound and stands alone.
  func closeAndCheck(sourceLocation: SourceLocation = #_sourceLocation) throws {
    repository.close()
    #expect(!FileManager.default.fileExists(atPath: path + "-wal"), sourceLocation: sourceLocation)
    #expect(!FileManager.default.fileExists(atPath: path + "-shm"), sourceLocation: sourceLocation)
    try checkIntegrity(sourceLocation: sourceLocation)
  }

  func checkIntegrity(sourceLocation: SourceLocation = #_sourceLocation) throws {
    let outside = try connect()
    #expect(try outside.string("PRAGMA integrity_check") == "ok", sourceLocation: sourceLocation)
    // What the layout promises of the tables among themselves.
    let broken = try outside.int64(
      """
      SELECT (SELECT count(*) FROM document_rows JOIN tombstones USING (collection, id))
        + (SELECT count(*) FROM document_rows WHERE revision > (SELECT max(sequence) FROM changes))
        + (SELECT max(sequence) - min(sequence) + 1 - count(*) FROM changes WHERE true HAVING count(*) > 0)
      """)
    #expect(broken ?? 0 == 0, sourceLocation: sourceLocation)
  }

  /// A connection such as another process would have.
  func connect() throws -> Connection {
    let connection = try Connection(path: path, access: .write)
    connection.setBusyTimeout(milliseconds: 5_000)
    return connection
  }
}

/// A session on a queue of its own, with calls that wait for their answers.
final class TestSession: @unchecked Sendable {
  typealias Answer = Result<WriteOutcome, StoreError>

  private let queue = DispatchQueue(label: "session")
  private let session: any RepositorySession

  init(_ repository: SQLiteRepository) throws {
    session = try repository.makeSession { [queue] work in queue.async(execute: work) }
  }

  /// Runs a tick and waits for the answers to its writes, in the order in which they came.
  func write(_ writes: [Write]) async -> [Answer] {
    await withCheckedContinuation { continuation in
      queue.async { [self] in
        var answers: [Answer] = []
        session.beginTick()
        for write in writes {
          session.submit(write) { answer in
            answers.append(answer)
            if answers.count == writes.count { continuation.resume(returning: answers) }
          }
        }
        session.endTick()
      }
    }
  }

  func write(_ write: Write) async throws -> WriteOutcome {
    try await self.write([write])[0].get()
  }

  func read(_ path: DocumentPath) throws -> Document? {
    try tick { session in
      var result: Result<Document?, StoreError>?
      session.document(at: path) { result = $0 }
      return result
    }?.get()
  }

  func text(_ path: DocumentPath) throws -> String? {
    try read(path).map { String(buffer: $0.data) }
  }

  /// Runs a tick on the session's queue.
  func tick<Value>(_ body: (any RepositorySession) throws -> Value) rethrows -> Value {
    try queue.sync {
      session.beginTick()
      defer { session.endTick() }
      return try body(session)
    }
  }

  /// Runs something on the session's queue, outside a tick.
  func run<Value>(_ body: (any RepositorySession) throws -> Value) rethrows -> Value {
    try queue.sync { try body(session) }
  }

  func scan(_ collection: String, after: String? = nil, limit: Int = .max) async throws -> [Document] {
    try await withCheckedContinuation { continuation in
      queue.async { [self] in
        session.scan(
          CollectionPath(unchecked: collection), after: after, into: [Document](),
          visit: { documents, document in
            documents.append(document)
            return documents.count < limit ? .next : .stop
          }, completion: { continuation.resume(returning: $0) })
      }
    }.get()
  }

  func status() async throws -> StoreStatus {
    try await withCheckedContinuation { continuation in
      queue.async { self.session.status { continuation.resume(returning: $0) } }
    }.get()
  }

  func close() {
    queue.sync { session.close() }
  }
}

extension DocumentPath {
  init(_ text: String) {
    let slash = text.lastIndex(of: "/")!
    self.init(
      collection: CollectionPath(unchecked: String(text[...slash])), id: String(text[text.index(after: slash)...]))
  }
}

extension ByteBuffer {
  init(_ text: String) { self.init(string: text) }
}
