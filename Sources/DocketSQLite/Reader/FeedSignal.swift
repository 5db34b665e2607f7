/// What wakes a thread that waits for changes.
final class FeedSignal: Sendable {
  struct State {
    /// Somebody has called `wake`.
    var isWoken = false
    /// Something was synced.
    var isSynced = false
    /// Whether `isSynced` will be set with the next sync.
    var isArmed = false
    /// The store is closing, or has failed.
    var isEnded = false
  }

  let state = Monitor(State())

  func wake() { set { $0.isWoken = true } }

  func end() { set { $0.isEnded = true } }

  func didSync() {
    set {
      $0.isSynced = true
      $0.isArmed = false
    }
  }

  private func set(_ change: (inout State) -> Void) {
    state.withLock(change)
    state.broadcast()
  }
}
