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
  }

  private let state = NIOLockedValueBox(State())
  private let repository: any DocumentRepository

  init(_ repository: any DocumentRepository) {
    self.repository = repository
  }

  /// Calls `body`, which finds the newest change and hands a watch over that begins there; nothing behind is lost meanwhile.
  func whileOpening<Result>(_ body: () -> Result) -> Result {
    state.withLockedValue { state in
      state.opening += 1
      if state.bound == nil { keep(Revision(0), &state) }
    }
    defer { state.withLockedValue { $0.opening -= 1 } }
    return body()
  }

  /// Keeps no more than what is behind this change, and behind where those begin that were handed over; unless somebody is
  /// finding out, of whom it is not known.
  func move(to position: Revision?, before waiting: () -> [Revision]) {
    state.withLockedValue { state in
      guard state.opening == 0 else { return }
      let bound = (waiting() + [position].compactMap { $0 }).min()
      if bound != state.bound { keep(bound, &state) }
    }
  }

  private func keep(_ bound: Revision?, _ state: inout State) {
    state.bound = bound
    repository.keepChanges(after: bound)
  }
}
