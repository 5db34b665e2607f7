import DocketWire

/// Whether a connection is for one request or for many, which its first request says, and any may end.
struct SessionForm {
  enum Phase {
    /// No request has said yet whether it is the only one.
    case undecided
    case persistent
    /// No further request is taken; the connection ends behind the last answer.
    case ending
  }

  private(set) var phase = Phase.undecided
  /// Whether responses end with NUL: the session is or was a persistent one.
  private(set) var isTerminated = false

  /// - Returns: whether the request with these headers is the last one.
  mutating func decide(by headers: Headers?) -> Bool {
    switch phase {
    case .undecided where headers?.list("Connection", contains: "close") == true: return true
    case .undecided where headers?.list("Connection", contains: "keep-alive") == true:
      phase = .persistent
      isTerminated = true
      return false
    case .undecided: return true
    case .persistent: return headers?.list("Connection", contains: "close") == true
    case .ending: return false
    }
  }

  mutating func end() { phase = .ending }
}
