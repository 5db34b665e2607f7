import DocketStore
import Foundation

/// Reads the changes of an `InMemoryRepository`, on a thread of its own.
///
/// `@unchecked Sendable`: what it remembers of its last reading belongs to that thread.
final class InMemoryChangeReader: ChangeReader, @unchecked Sendable {
  private let repository: InMemoryRepository
  private let isWoken = NSCondition()
  /// Under the condition's lock.
  private nonisolated(unsafe) var wakes = 0
  /// How many changes there were when the last reading began.
  private var known: Int?

  init(_ repository: InMemoryRepository) {
    self.repository = repository
  }

  func wake() {
    isWoken.withLock {
      wakes += 1
      isWoken.broadcast()
    }
  }

  func wait(forChanges: Bool, milliseconds: Int64?) -> Bool {
    let end = milliseconds.map { Date(timeIntervalSinceNow: Double($0) / 1_000) } ?? .distantFuture
    return isWoken.withLock {
      while wakes == 0, !isClosed, !forChanges || count == known, Date() < end {
        // Nothing tells it of a change, so it looks.
        _ = isWoken.wait(until: min(end, Date(timeIntervalSinceNow: 0.002)))
      }
      wakes = 0
      return !isClosed
    }
  }

  func changes(
    _ range: ChangeRange, of interest: ChangeInterest, visit: (Change) -> ScanStep
  ) -> Result<ChangeProgress, StoreError> {
    let model = model
    if range.through == nil { known = model.changes.count }
    return model.visitChanges(range, of: interest, visit: visit)
  }

  func newest() -> Result<(sequence: Revision, history: String), StoreError> {
    .success((model.revision, InMemoryRepository.historyID))
  }

  func tokens() -> Result<TokenRoll, StoreError> { .success(model.tokenRoll) }

  func query(_ query: Query, visit: (DocumentView) -> ScanStep) -> Result<QueryReport, StoreError> {
    model.run(query, now: repository.clock(), visit: visit)
  }

  func document(at path: DocumentPath, asOf moment: PastMoment) -> Result<Document?, StoreError> {
    model.document(at: path, asOf: moment)
  }

  private var model: DocumentModel { repository.state.withLockedValue { $0.model } }
  private var count: Int { model.changes.count }
  private var isClosed: Bool { repository.state.withLockedValue { $0.isClosed } }
}

extension InMemoryRepository {
  public func follow(
    urgently: Bool, _ body: @escaping @Sendable (any ChangeReader) -> Void
  ) throws(StoreError) -> @Sendable () -> Void {
    guard !state.withLockedValue({ $0.isClosed }) else { throw .closed }
    let reader = InMemoryChangeReader(self)
    followers.enter()
    Thread { [followers] in
      body(reader)
      followers.leave()
    }.start()
    return { reader.wake() }
  }

  /// A model forgets nothing, but tells what it was to keep.
  public func keepChanges(after sequence: Revision?) { state.withLockedValue { $0.keptAfter = sequence } }

  public var keptAfter: Revision? { state.withLockedValue(\.keptAfter) }
}

extension InMemorySession {
  func changes<State: Sendable>(
    _ range: ChangeRange, into state: State, visit: @escaping @Sendable (inout State, Change) -> ScanStep,
    completion: @escaping (Result<(state: State, progress: ChangeProgress, history: String), StoreError>) -> Void
  ) {
    readModel(completion) { model in
      var state = state
      return model.visitChanges(range, of: { _, _ in true }, visit: { visit(&state, $0) })
        .map { (state, $0, InMemoryRepository.historyID) }
    }
  }

  func newestRevision() -> Result<Revision, StoreError> {
    guard let snapshot else { preconditionFailure("a read outside a tick") }
    return repository.state.withLockedValue { $0.isClosed } ? .failure(.closed) : .success(snapshot.revision)
  }
}
