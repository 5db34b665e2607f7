import DocketStore
import NIOConcurrencyHelpers

/// Has a gate know the tokens of a database: reads them on a thread of the store's several times a second, whoever changes them,
/// and at once when it is told of a change.
public final class AccessKeeper: Sendable {
  private struct State {
    /// Whether they have been read, and how that went the first time.
    var first: Result<Void, StoreError>?
    var whenKnown: [@Sendable (Result<Void, StoreError>) -> Void] = []
    var whenRefreshed: [@Sendable () -> Void] = []
  }

  public let gate: Gate
  private let repository: any DocumentRepository
  private let thread = FeedThread()
  private let state = NIOLockedValueBox(State())
  private let wall: @Sendable () -> Timestamp

  /// How long it takes at most until a token that another process has made or revoked is known to be.
  private static let lookMilliseconds: Int64 = 250

  public init(_ repository: any DocumentRepository, gate: Gate, wall: @escaping @Sendable () -> Timestamp) {
    self.repository = repository
    self.gate = gate
    self.wall = wall
  }

  /// Begins to read. The thread ends when the repository closes.
  public func start() throws(StoreError) {
    thread.wake = try repository.follow(urgently: true) { [self] reader in
      thread.run {
        repeat {
          read(reader)
        } while reader.wait(forChanges: false, milliseconds: Self.lookMilliseconds) && !thread.isStopped
      }
    }
  }

  /// Ends the thread, which tells nobody anything afterwards.
  public func stop() async {
    thread.stop()
    while thread.isRunning { try? await Task.sleep(for: .milliseconds(1)) }
  }

  /// Returns once the tokens are known.
  public func waitUntilKnown() async throws(StoreError) {
    let result = await withCheckedContinuation { continuation in
      whenKnown { continuation.resume(returning: $0) }
    }
    try result.get()
  }

  private func whenKnown(_ body: @escaping @Sendable (Result<Void, StoreError>) -> Void) {
    let first = state.withLockedValue { state in
      if state.first == nil { state.whenKnown.append(body) }
      return state.first
    }
    if let first { body(first) }
  }

  /// Calls `body`, on any thread, once the gate knows what has been committed by now: where that cannot be read, once it can.
  /// Not at all where the server ends before.
  public func refresh(then body: @escaping @Sendable () -> Void) {
    state.withLockedValue { $0.whenRefreshed.append(body) }
    thread.wake?()
  }

  private func read(_ reader: any ChangeReader) {
    let waiting = state.withLockedValue { state in
      defer { state.whenRefreshed = [] }
      return state.whenRefreshed
    }
    // Where they cannot be read what was known before holds; what has expired since does not.
    let result = reader.tokens().map { gate.update($0, wall: wall()) }
    if case .failure = result {
      gate.endExpired(wall: wall())
      // Who has revoked a token is not to be told so while it still holds here.
      state.withLockedValue { $0.whenRefreshed = waiting + $0.whenRefreshed }
    }
    let whenKnown = state.withLockedValue { state in
      if state.first == nil { state.first = result }
      defer { state.whenKnown = [] }
      return state.whenKnown
    }
    for body in whenKnown { body(result) }
    if case .success = result { for body in waiting { body() } }
  }
}
