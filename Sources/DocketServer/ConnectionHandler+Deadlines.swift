import DocketService
import NIOCore

/// What becomes of the connection when its client has owed something for too long.
extension ConnectionHandler {
  /// Called by the loop's sweeps.
  /// - Returns: the sweep that is to look again; nil where the connection has ended.
  func checkDeadlines() -> Int? {
    guard let context, !endIfOverdue() else { return nil }
    var unsent = 0
    switch phase {
    case .closed: return nil
    case .lingering(let left):
      let isOver = left < 0 && context.unacknowledgedBytes == 0
      if isOver || loop.hasPassed(loop.limits.lingerSeconds, since: deadlines.lastActivity) { close(context) }
    case .sendingLast:
      _ = noteSending(context)
      if loop.hasPassed(loop.limits.idleSeconds, since: deadlines.lastActivity) { close(context) }
    case .serving:
      watches?.endForbidden(.invalidToken)
      unsent = noteSending(context)
      if endLateFrame() {
        break
      } else if (state.expectsClient || unsent > 0) && loop.hasPassed(state.idleSeconds, since: deadlines.lastActivity)
      {
        close(context)
      } else if !state.isIdle && unsent == 0 {
        // The connection is waiting for the store, which is nothing its client could hurry.
        deadlines.noteActivity(at: loop.sweeps)
      }
    }
    return nextDeadline(unsent: unsent)
  }

  /// The first sweep in which something may be due: a client that owes a frame, or anything at all, is left alone until it is late. Of
  /// the rest each sweep is to see how it goes on.
  private func nextDeadline(unsent: Int) -> Int {
    guard case .serving = phase, unsent == 0, stranger == nil, !state.hasWatches, !isQueued else {
      return loop.sweeps + 1
    }
    if let began = deadlines.frameBegan { return loop.sweep(state.frameSeconds, after: began) }
    return state.expectsClient ? loop.sweep(state.idleSeconds, after: deadlines.lastActivity) : loop.sweeps + 1
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
    // Nothing is asked where NIO has nothing: a loop with thousands of silent connections does this for each, again and again.
    let isBehind = output.piecesBehind > 0
    let unsent = isBehind ? (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0 : 0
    deadlines.noteUnsent(unsent, at: loop.sweeps)
    return unsent
  }
}
