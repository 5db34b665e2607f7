import NIOConcurrencyHelpers
import NIOCore

/// How many requests may be made in a time: so many a second, and after a pause as many at once.
///
/// To be refused costs little, but not nothing. So not more are refused at once than may be made, and the answers to those beyond
/// are late: a connection that has one of them to come is not listened to.
final class RequestAllowance: Sendable {
  /// Why a request is not carried out.
  struct Refusal: Equatable {
    /// How long to wait, in seconds.
    let seconds: Int
    /// Whether that many were refused already that this one is to wait for its answer.
    let isLate: Bool
  }

  private struct State {
    /// What may be made at once, with the part of a request that has grown since.
    var left: Double
    /// How many may be refused at once, counted in the same way.
    var leftToRefuse: Double
    var at: NIODeadline
  }

  private let perSecond: Double
  private let state: NIOLockedValueBox<State>

  init(perSecond: Int, now: NIODeadline) {
    self.perSecond = Double(perSecond)
    state = NIOLockedValueBox(State(left: Double(perSecond), leftToRefuse: Double(perSecond), at: now))
  }

  /// Takes one request. Returns why not, if there is none left.
  func take(now: NIODeadline) -> Refusal? {
    state.withLockedValue { state in
      let seconds = Double((now - state.at).nanoseconds) / 1_000_000_000
      if seconds > 0 {
        state.left = min(perSecond, state.left + seconds * perSecond)
        state.leftToRefuse = min(perSecond, state.leftToRefuse + seconds * perSecond)
        state.at = now
      }
      guard state.left < 1 else {
        state.left -= 1
        return nil
      }
      let isLate = state.leftToRefuse < 1
      if !isLate { state.leftToRefuse -= 1 }
      return Refusal(seconds: max(1, Int(((1 - state.left) / perSecond).rounded(.up))), isLate: isLate)
    }
  }
}
