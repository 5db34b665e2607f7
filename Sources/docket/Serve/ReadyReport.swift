import Logging
import NIOConcurrencyHelpers

/// Says once, when all that is to listen does, where the service is reached.
final class ReadyReport: Sendable {
  private struct State {
    var places: [String?]
    var isTold = false
  }

  private let state: NIOLockedValueBox<State>
  private let tell: @Sendable (_ places: [String]) -> Void

  /// - Parameters:
  ///   - count: how many report.
  ///   - tell: is called with their places, in their order.
  init(of count: Int, tell: @escaping @Sendable (_ places: [String]) -> Void) {
    state = NIOLockedValueBox(State(places: Array(repeating: nil, count: count)))
    self.tell = tell
  }

  func add(_ place: String, at index: Int) {
    let places = state.withLockedValue { state -> [String]? in
      state.places[index] = place
      guard !state.isTold, !state.places.contains(nil) else { return nil }
      state.isTold = true
      return state.places.compactMap { $0 }
    }
    if let places { tell(places) }
  }
}
