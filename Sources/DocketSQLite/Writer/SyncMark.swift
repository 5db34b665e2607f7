import DocketStore
import Synchronization

/// Which of the writer's commits are on disk. What a commit changed can be seen as soon as it is in the log, by readers in
/// this process too; what shows it may be told to clients only once the log is synced.
///
/// Commits are counted as they are tried, not by their changes: the numbers of changes that were undone are used again.
final class SyncMark: Sendable {
  private struct Waiter {
    let commit: Int64
    let body: @Sendable (Bool) -> Void
  }

  private struct State {
    var waiters: [Waiter] = []
    var failureHandlers: [@Sendable () -> Void] = []
    /// Why nothing will be synced any more.
    var failure: StoreError?
  }

  private let begun = Atomic<Int64>(0)
  private let synced = Atomic<Int64>(0)
  private let state = Monitor(State())

  /// The newest commit that may be seen. A snapshot shows none beyond what this says once the snapshot is there.
  var visible: Int64 { begun.load(ordering: .sequentiallyConsistent) }

  /// The newest commit that is synced, with all before it.
  var newestSynced: Int64 { synced.load(ordering: .acquiring) }

  /// Calls `body` once nothing will be synced any more, which may be at once, or never.
  func onFailure(_ body: @escaping @Sendable () -> Void) {
    let hasFailed = state.withLock { state in
      if state.failure == nil { state.failureHandlers.append(body) }
      return state.failure != nil
    }
    if hasFailed { body() }
  }

  func isSynced(_ commit: Int64) -> Bool { synced.load(ordering: .acquiring) >= commit }

  /// Calls `body` once it is certain whether a commit and all before it are synced, unless they are already: with true
  /// when they are, on the thread that has synced them; with false if they never will be.
  /// - Returns: whether they are already.
  func whenSynced(_ commit: Int64, _ body: @escaping @Sendable (Bool) -> Void) -> Bool {
    let (isDone, hasFailed) = state.withLock { state -> (Bool, Bool) in
      if isSynced(commit) { return (true, false) }
      if state.failure != nil { return (false, true) }
      state.waiters.append(Waiter(commit: commit, body: body))
      return (false, false)
    }
    if hasFailed { body(false) }
    return isDone
  }

  /// Waits until a commit and all before it are synced. Returns why they never will be, if so.
  func waitUntilSynced(_ commit: Int64) -> StoreError? {
    if isSynced(commit) { return nil }
    return state.wait(until: { $0.failure != nil || isSynced(commit) }) { isSynced(commit) ? nil : $0.failure }
  }

  // MARK: What the writer tells

  /// A commit begins. To be told before anybody can see what it changes.
  func willCommit() {
    begun.add(1, ordering: .sequentiallyConsistent)
  }

  /// What there was of this commit and all before it is synced. After a failure nothing is.
  func didSync(_ commit: Int64) {
    let due = state.withLock { state -> [Waiter] in
      guard state.failure == nil else { return [] }
      if commit > synced.load(ordering: .relaxed) { synced.store(commit, ordering: .releasing) }
      let due = state.waiters.filter { $0.commit <= commit }
      state.waiters.removeAll { $0.commit <= commit }
      return due
    }
    state.broadcast()
    for waiter in due { waiter.body(true) }
  }

  /// What is not synced yet never will be.
  func didFail(_ failure: StoreError) {
    let (waiters, handlers) = state.withLock { state in
      if state.failure == nil { state.failure = failure }
      defer {
        state.waiters = []
        state.failureHandlers = []
      }
      return (state.waiters, state.failureHandlers)
    }
    state.broadcast()
    for waiter in waiters { waiter.body(false) }
    for handler in handlers { handler() }
  }
}
