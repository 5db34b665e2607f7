import Synchronization

/// Which of the writer's commits are on disk. What a commit changed can be seen as soon as it is in the log, by readers in
/// this process too; what shows it may be told to clients only once the log is synced.
///
/// Commits are counted as they are tried, not by their changes: the numbers of changes that were undone are used again.
final class SyncMark: Sendable {
  private struct Waiter {
    let commit: Int64
    let body: @Sendable () -> Void
  }

  private struct State {
    var waiters: [Waiter] = []
    /// Whether the log will never be synced again.
    var hasFailed = false
  }

  private let begun = Atomic<Int64>(0)
  private let synced = Atomic<Int64>(0)
  private let state = Monitor(State())

  /// The newest commit that may be seen. A snapshot shows none beyond what this says once the snapshot is there.
  var visible: Int64 { begun.load(ordering: .sequentiallyConsistent) }

  func isSynced(_ commit: Int64) -> Bool { synced.load(ordering: .acquiring) >= commit }

  /// Calls `body` once a commit and all before it are synced, on the thread that has synced them, unless they are
  /// already. If syncing fails it is never called.
  /// - Returns: whether they are already.
  func whenSynced(_ commit: Int64, _ body: @escaping @Sendable () -> Void) -> Bool {
    state.withLock { state in
      if isSynced(commit) { return true }
      state.waiters.append(Waiter(commit: commit, body: body))
      return false
    }
  }

  /// Waits until a commit and all before it are synced. Returns false if they never will be.
  func waitUntilSynced(_ commit: Int64) -> Bool {
    if isSynced(commit) { return true }
    return state.wait(until: { $0.hasFailed || isSynced(commit) }) { _ in isSynced(commit) }
  }

  // MARK: What the writer tells

  /// A commit begins. To be told before anybody can see what it changes.
  func willCommit() {
    begun.add(1, ordering: .sequentiallyConsistent)
  }

  /// What there was of this commit and all before it is synced.
  func didSync(_ commit: Int64) {
    let due = state.withLock { state in
      if commit > synced.load(ordering: .relaxed) { synced.store(commit, ordering: .releasing) }
      let due = state.waiters.filter { $0.commit <= commit }
      state.waiters.removeAll { $0.commit <= commit }
      return due
    }
    state.broadcast()
    for waiter in due { waiter.body() }
  }

  /// The log will not be synced again.
  func didFail() {
    state.withLock { state in
      state.hasFailed = true
      state.waiters = []
    }
    state.broadcast()
  }
}
