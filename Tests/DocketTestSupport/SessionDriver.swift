import DocketStore
import Foundation
import NIOConcurrencyHelpers
import NIOCore

/// A repository session on an executor of its own (a serial queue), with calls that can be awaited.
///
/// Each call is one tick, except where a test asks for several things in one.
public final class SessionDriver: Sendable {
  /// Broken promises about completions, which no answer could carry.
  public struct Violation: Error, CustomStringConvertible {
    public let description: String
  }

  private static let executorKey = DispatchSpecificKey<ObjectIdentifier>()
  private let queue = DispatchQueue(label: "docket.test.session")
  // Not Sendable by its contract; every use of it is on `queue`.
  private nonisolated(unsafe) let session: any RepositorySession

  public init(_ repository: any DocumentRepository) throws(StoreError) {
    session = try repository.makeSession { [queue] work in queue.async(execute: work) }
    queue.setSpecific(key: Self.executorKey, value: ObjectIdentifier(queue))
  }

  /// Whether the caller runs on this session's executor.
  public var isOnExecutor: Bool { DispatchQueue.getSpecific(key: Self.executorKey) == ObjectIdentifier(queue) }

  /// Runs `body` on the executor within one tick.
  public func tick(_ body: @escaping @Sendable (any RepositorySession) -> Void) {
    queue.async { [self] in
      session.beginTick()
      body(session)
      session.endTick()
    }
  }

  /// Runs `body` on the executor, outside a tick.
  public func outsideTick(_ body: @escaping @Sendable (any RepositorySession) -> Void) {
    queue.async { [self] in body(session) }
  }

  /// Returns when everything that was given to the executor before has run.
  public func drain() async {
    await withCheckedContinuation { continuation in queue.async { continuation.resume() } }
  }

  /// Submits the writes in one tick; the answers are in the order of the writes.
  public func writeAll(_ writes: [Write]) async throws -> [Result<WriteOutcome, StoreError>] {
    guard !writes.isEmpty else { return [] }
    let answers = NIOLockedValueBox<[Result<WriteOutcome, StoreError>?]>(Array(repeating: nil, count: writes.count))
    let missing = NIOLockedValueBox(writes.count)
    let strayed = NIOLockedValueBox(false)
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      tick { [self] session in
        for (index, write) in writes.enumerated() {
          session.submit(write) { [self] result in
            if !isOnExecutor { strayed.withLockedValue { $0 = true } }
            answers.withLockedValue { $0[index] = result }
            let isLast = missing.withLockedValue { missing in
              missing -= 1
              return missing == 0
            }
            if isLast { continuation.resume() }
          }
        }
      }
    }
    if strayed.withLockedValue({ $0 }) { throw Violation(description: "a write was answered off the executor") }
    return answers.withLockedValue { $0.compactMap { $0 } }
  }

  public func write(_ write: Write) async throws -> WriteOutcome {
    try await writeAll([write])[0].get()
  }

  public func document(at path: DocumentPath) async throws -> Document? {
    try await answer { session, completion in session.document(at: path, completion: completion) }
  }

  /// The documents of a collection behind `after`, at most `limit`.
  public func page(
    _ collection: CollectionPath, after: String? = nil, limit: Int = .max
  ) async throws -> [Document] {
    try await answer { [self] session, completion in
      session.scan(
        collection, after: after, into: Page(),
        visit: { [self] page, document in
          if isOnExecutor { page.wasOnExecutor = true }
          page.documents.append(document)
          return page.documents.count == limit ? .stop : .next
        },
        completion: { (result: Result<Page, StoreError>) in
          completion(
            result.map { $0.documents }, result.map { $0.wasOnExecutor } == .success(true))
        })
    }
  }

  /// Carries out a transaction, in a tick of its own.
  public func transact<Answer: Sendable>(_ transaction: Transaction<Answer>) async throws -> TransactionOutcome<Answer>
  {
    try await answer { session, completion in session.transact(transaction, completion: completion) }
  }

  public func document(at path: DocumentPath, asOf moment: PastMoment) async throws -> Document? {
    try await answer { session, completion in session.document(at: path, asOf: moment, completion: completion) }
  }

  public func revision(at time: Timestamp) async throws -> Revision {
    try await answer { session, completion in session.revision(at: time, completion: completion) }
  }

  /// The documents of a collection as it was, from as many scans as it takes.
  public func page(
    _ collection: CollectionPath, after: String? = nil, asOf moment: PastMoment
  ) async throws -> [Document] {
    var documents: [Document] = []
    var after = after
    while true {
      let begin = after
      let (found, stoppedBehind): ([Document], String?) = try await answer { session, completion in
        session.scan(
          collection, after: begin, asOf: moment, into: [Document](),
          visit: { documents, document in
            documents.append(document)
            return .next
          }, completion: { completion($0.map { ($0.state, $0.stoppedBehind) }) })
      }
      documents += found
      guard let stoppedBehind else { return documents }
      after = stoppedBehind
    }
  }

  /// The versions of a document, newest first; nil where there is no trace of it.
  public func versions(of path: DocumentPath, before: Revision? = nil) async throws -> [Version]? {
    try await answer { session, completion in
      session.versions(
        of: path, before: before, into: [Version](),
        visit: { versions, version in
          versions.append(version)
          return .next
        }, completion: completion)
    }
  }

  public func status() async throws -> StoreStatus {
    try await answer { session, completion in session.status(completion: completion) }
  }

  /// Closes the session.
  public func close() async {
    await withCheckedContinuation { continuation in
      queue.async { [self] in
        session.close()
        continuation.resume()
      }
    }
  }

  private struct Page: Sendable, Equatable {
    var documents: [Document] = []
    var wasOnExecutor = false
  }

  /// Asks for something in a tick.
  func answer<Value: Sendable>(
    _ ask: @escaping @Sendable (any RepositorySession, @escaping (Result<Value, StoreError>) -> Void) -> Void
  ) async throws -> Value {
    try await answer { session, completion in ask(session) { completion($0, false) } }
  }

  /// Asks for something in a tick. The completion also takes whether the store did its work on the executor, where it
  /// must not.
  private func answer<Value: Sendable>(
    _ ask: @escaping @Sendable (any RepositorySession, @escaping (Result<Value, StoreError>, Bool) -> Void) -> Void
  ) async throws -> Value {
    let (result, strayed) = await withCheckedContinuation { continuation in
      tick { [self] session in
        ask(session) { [self] result, blockedExecutor in
          continuation.resume(returning: (result, blockedExecutor || !isOnExecutor))
        }
      }
    }
    if strayed { throw Violation(description: "a completion off the executor, or a visit on it") }
    return try result.get()
  }
}
