import NIOConcurrencyHelpers
import NIOCore

/// How many requests may be made in a time: so many a second, and after a pause as many at once.
final class RequestAllowance: Sendable {
  private struct State {
    /// What may be made at once, with the part of a request that has grown since.
    var left: Double
    var at: NIODeadline
  }

  private let perSecond: Double
  private let state: NIOLockedValueBox<State>

  init(perSecond: Int, now: NIODeadline) {
    self.perSecond = Double(perSecond)
    state = NIOLockedValueBox(State(left: Double(perSecond), at: now))
  }

  /// Takes one request. Returns how many seconds to wait, if there is none left.
  func take(now: NIODeadline) -> Int? {
    state.withLockedValue { state in
      let seconds = Double((now - state.at).nanoseconds) / 1_000_000_000
      if seconds > 0 {
        state.left = min(perSecond, state.left + seconds * perSecond)
        state.at = now
      }
      guard state.left < 1 else {
        state.left -= 1
        return nil
      }
      return max(1, Int(((1 - state.left) / perSecond).rounded(.up)))
    }
  }
}
