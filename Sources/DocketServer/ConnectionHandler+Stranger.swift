import NIOCore

/// A connection on which no token has been shown, of a server where nothing can be done without one: it has so much time, and
/// less where its place is wanted.
extension ConnectionHandler {
  struct Stranger {
    /// Among all that owe a token.
    let number: Int
    /// The sweep of its loop at which it began to.
    let since: Int
  }

  /// The event that asks for its place.
  struct PlaceIsWanted: Sendable {}

  /// Takes notice of what its client has shown, or of what has ended since.
  func noteStanding() {
    guard state.owesToken, let channel = context?.channel else { return forgetStranger() }
    guard stranger == nil else { return }
    let number = admission.addStranger { channel.pipeline.fireUserInboundEventTriggered(PlaceIsWanted()) }
    stranger = Stranger(number: number, since: loop.sweeps)
    bookLook()
  }

  func forgetStranger() {
    guard let stranger else { return }
    admission.removeStranger(stranger.number)
    self.stranger = nil
  }

  /// Closes it for another one, unless it has shown a token in the meantime.
  func giveWay() {
    if state.owesToken { close() }
  }

  /// Ends it once its time is over: behind what it is owed, and some time later in any case.
  /// - Returns: whether it is closed.
  func endIfOverdue() -> Bool {
    if case .serving = phase { noteStanding() }
    guard let since = stranger?.since, loop.hasPassed(loop.limits.strangerSeconds, since: since) else { return false }
    if loop.hasPassed(loop.limits.strangerSeconds + loop.limits.lingerSeconds, since: since) {
      close()
      return true
    }
    if case .serving = phase { finish() }
    return false
  }
}
