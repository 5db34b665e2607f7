import DocketService
import NIOCore

/// What becomes of the connection when its client has owed something for too long.
extension ConnectionHandler {
  /// Called by the loop's sweeps.
  func checkDeadlines() {
    guard let context, !endIfOverdue() else { return }
    switch phase {
    case .closed: break
    case .lingering(let left):
      let isOver = left < 0 && context.unacknowledgedBytes == 0
      if isOver || loop.hasPassed(loop.limits.lingerSeconds, since: deadlines.lastActivity) { close(context) }
    case .sendingLast:
      _ = noteSending(context)
      if loop.hasPassed(loop.limits.idleSeconds, since: deadlines.lastActivity) { close(context) }
    case .serving:
      watches?.endForbidden(.invalidToken)
      let unsent = noteSending(context)
      if endLateFrame() {
        break
      } else if (state.expectsClient || unsent > 0) && loop.hasPassed(state.idleSeconds, since: deadlines.lastActivity)
      {
        // The last of its answers may be with the kernel, and go to a client that takes little at a time.
        if unsent == 0, deadlines.noteUntaken(context.unacknowledgedBytes, at: loop.sweeps) { break }
        close(context)
      } else if !state.isIdle && unsent == 0 {
        // The connection is waiting for the store, which is nothing its client could hurry.
        deadlines.noteActivity(at: loop.sweeps)
      }
    }
  }

  /// Has a sweep look at it in time. Whoever is just silent is looked at anyway before he may have been so for too long.
  func bookLook() {
    if !isSilent { loop.look(at: self, noLaterThan: nextDeadline) }
  }

  /// The first sweep in which something may be due: a client that owes a frame, or anything at all, is left alone until it is late. Of
  /// the rest each sweep is to see how it goes on.
  var nextDeadline: Int {
    if isSilent { return loop.sweep(state.idleSeconds, after: deadlines.lastActivity) }
    guard isUpToClient, let began = deadlines.frameBegan, !isQueued else { return loop.sweeps + 1 }
    return loop.sweep(state.frameSeconds, after: began)
  }

  /// Whether all is said, and the client's turn.
  private var isSilent: Bool { isUpToClient && state.expectsClient }

  /// Whether nothing goes on that each sweep has to see to, so that it is the client alone who may owe something.
  private var isUpToClient: Bool {
    guard case .serving = phase else { return false }
    return output.piecesBehind == 0 && stranger == nil && !state.hasWatches
  }

  /// Refuses a frame that takes too long. What has come of one whose turn is yet to come is looked at first.
  /// - Returns: whether there is one.
  @discardableResult
  func endLateFrame() -> Bool {
    guard let began = deadlines.frameBegan, !isQueued, loop.hasPassed(state.frameSeconds, since: began) else {
      return false
    }
    deadlines.forgetFrame()
    state.frameTimedOut()
    loop.enqueue(self)
    return true
  }

  /// Counts answers that are being taken as activity, and returns how many bytes are not taken yet.
  private func noteSending(_ context: ChannelHandlerContext) -> Int {
    // Where NIO has nothing there is nothing to ask.
    guard output.piecesBehind > 0 else { return 0 }
    let untaken = context.untakenBytes
    deadlines.noteUntaken(untaken, at: loop.sweeps)
    return untaken
  }
}
