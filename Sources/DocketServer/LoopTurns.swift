import NIOCore
import NIOPosix

/// Counts how often event loops have looked at their sockets, each on its own thread.
///
/// A loop does so only when no work is due, and what is put off by some time is due at once where other work takes as long. So
/// whoever is to go on behind what clients have sent meanwhile cannot tell by time alone.
public final class LoopTurns: NIOEventLoopMetricsDelegate {
  /// For all groups of the process.
  public static let shared = LoopTurns()

  /// The loop of a thread, which alone touches it.
  private final class Loop: @unchecked Sendable {
    var turns = 0
    /// What waits, and since which turn.
    var waiting: [(since: Int, work: () -> Void)] = []
  }

  private let loop = ThreadSpecificVariable<Loop>()

  private static let pause = TimeAmount.microseconds(50)

  private init() {}

  /// How often this thread's loop has looked at its sockets; nil where nobody counts.
  public var turns: Int? { loop.currentValue?.turns }

  /// A loop has done what was due, and looks at its sockets now.
  public func processedTick(info: NIOEventLoopTickInfo) {
    if let loop = loop.currentValue {
      loop.turns += 1
    } else {
      loop.currentValue = Loop()
    }
  }

  /// Runs `work` on this thread's loop once it has looked at its sockets. Where nobody counts that, since the loop is of a group
  /// that was made without this, it is after some time.
  public func execute(on eventLoop: any EventLoop, _ work: @escaping () -> Void) {
    guard let loop = loop.currentValue else {
      eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: Self.pause) { work() }
      return
    }
    loop.waiting.append((loop.turns, work))
    if loop.waiting.count == 1 { look(loop, on: eventLoop) }
  }

  /// All that wait share one timer: of many some would always be due again before the last had run, and the loop would never look
  /// at its sockets.
  private func look(_ loop: Loop, on eventLoop: any EventLoop) {
    eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: Self.pause) { [self] in
      let due = loop.waiting.prefix { $0.since != loop.turns }
      // What is begun now waits behind those that still wait.
      for (_, work) in due { work() }
      loop.waiting.removeFirst(due.count)
      if !loop.waiting.isEmpty { look(loop, on: eventLoop) }
    }
  }
}
