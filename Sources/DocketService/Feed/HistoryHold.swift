import DocketStore
import NIOConcurrencyHelpers

/// Keeps what watches are about to read from being pruned: from the moment when a watch finds out where it begins, to that when
/// the live feed has told it what came behind.
final class HistoryHold: Sendable {
  private struct State {
    /// How many are finding out.
    var opening = 0
    /// All changes behind this are kept; nil: none are.
    var bound: Revision?
    /// Whether the bound was to move while somebody was finding out.
    var hasMissedMove = false
  }

  private let state = NIOLockedValueBox(State())
  private let repository: any DocumentRepository
  private let wakeMover: @Sendable () -> Void

  /// - Parameter wakeMover: has whoever moves the bound do so again.
  init(_ repository: any DocumentRepository, wakeMover: @escaping @Sendable () -> Void) {
    self.repository = repository
    self.wakeMover = wakeMover
  }

  /// Calls `body`, which finds the newest change and hands a watch over that begins there; nothing behind is lost meanwhile.
  func whileOpening<Result>(_ body: () -> Result) -> Result {
    state.withLockedValue { state in
      state.opening += 1
      if state.bound == nil { keep(Revision(0), &state) }
    }
    defer { didOpen() }
    return body()
  }

  private func didOpen() {
    let hasMissedMove = state.withLockedValue { state in
      state.opening -= 1
      guard state.opening == 0, state.hasMissedMove else { return false }
      state.hasMissedMove = false
      return true
    }
    if hasMissedMove { wakeMover() }
  }

  /// Keeps no more than what is behind this change, and behind where those begin that were handed over; unless somebody is
  /// finding out, of whom it is not known.
  func move(to position: Revision?, before waiting: () -> [Revision]) {
    state.withLockedValue { state in
      guard state.opening == 0 else { return state.hasMissedMove = true }
      let bound = (waiting() + [position].compactMap { $0 }).min()
      if bound != state.bound { keep(bound, &state) }
    }
  }

  private func keep(_ bound: Revision?, _ state: inout State) {
    state.bound = bound
    repository.keepChanges(after: bound)
  }
}
