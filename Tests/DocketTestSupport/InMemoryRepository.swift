import DocketStore
import Foundation
import NIOConcurrencyHelpers
import NIOCore

/// A repository in memory, for tests: `DocumentModel` behind one lock.
///
/// It keeps the contract where that is easy to get wrong above it: writes happen when their tick ends and are answered
/// later, through `deliver`; a tick reads from the snapshot with which it began; scans run on another thread.
public final class InMemoryRepository: DocumentRepository {
  struct State: Sendable {
    var model: DocumentModel
    var ids = AscendingIDs()
    var isClosed = false
    var refusal: StoreError?
    /// All changes behind this are to be kept.
    var keptAfter: Revision?
    /// What was answered under idempotency keys.
    var kept: [String: (fingerprint: UInt64, answer: ByteBuffer, ends: Timestamp)] = [:]
  }

  let state: NIOLockedValueBox<State>
  /// The one thread on which writes are made and answered.
  let writer = DispatchQueue(label: "docket.memory.writer")
  let clock: @Sendable () -> Timestamp
  /// The threads that read changes.
  let followers = DispatchGroup()

  static let historyID = "in-memory"

  /// - Parameters:
  ///   - documentLimit: the most bytes that a document may have after a patch.
  ///   - clock: tells the time of a write.
  public init(
    documentLimit: Int = 1_048_576, clock: @escaping @Sendable () -> Timestamp = InMemoryRepository.wallClock
  ) {
    state = NIOLockedValueBox(State(model: DocumentModel(documentLimit: documentLimit)))
    self.clock = clock
  }

  @Sendable public static func wallClock() -> Timestamp {
    Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
  }

  /// Everything that was done so far, in order.
  public var changes: [DocumentModel.Change] { state.withLockedValue { $0.model.changes } }

  /// From now on every write fails with this error and changes nothing; nil ends that.
  public func refuseWrites(with error: StoreError?) {
    state.withLockedValue { $0.refusal = error }
  }

  public func makeSession(
    deliver: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void
  ) throws(StoreError) -> any RepositorySession {
    guard !state.withLockedValue({ $0.isClosed }) else { throw StoreError.closed }
    return InMemorySession(repository: self, deliver: deliver)
  }

  /// Memory does not fail: this ends only when its task is cancelled.
  public func waitForFailure() async throws -> StoreError {
    while true {
      try await Task.sleep(for: .seconds(3600))
    }
  }

  /// Nothing takes long in memory.
  public func prepareToClose() {}

  public func close() {
    writer.sync {
      state.withLockedValue { $0.isClosed = true }
    }
    followers.wait()
  }

  func apply(_ write: Write) -> Result<WriteOutcome, StoreError> {
    state.withLockedValue { state in
      if state.isClosed { return .failure(.closed) }
      if let refusal = state.refusal { return .failure(refusal) }
      let now = clock()
      return state.model.apply(write, now: now, newID: { state.ids.next(now: now) })
    }
  }
}
