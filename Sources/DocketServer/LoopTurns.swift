import NIOCore
import NIOPosix
import Synchronization

/// Counts how often event loops have looked at their sockets, each on its own thread.
///
/// A loop does so only when no work is due, and what is put off by some time is due at once where other work takes as long. So
/// whoever is to go on behind what clients have sent meanwhile cannot tell by time alone.
public final class LoopTurns: NIOEventLoopMetricsDelegate {
  /// For all groups of the process.
  public static let shared = LoopTurns()

  private final class Count: Sendable {
    let value = Atomic(0)
  }

  private let count = ThreadSpecificVariable<Count>()

  private init() {}

  /// How often this thread's loop has looked at its sockets; nil where nobody counts.
  public var turns: Int? { count.currentValue?.value.load(ordering: .relaxed) }

  /// A loop has done what was due, and looks at its sockets now.
  public func processedTick(info: NIOEventLoopTickInfo) {
    if let count = count.currentValue {
      count.value.add(1, ordering: .relaxed)
    } else {
      count.currentValue = Count()
    }
  }

  /// Runs `work` on this thread's loop once it has looked at its sockets. Where nobody counts that, since the loop is of a group
  /// that was made without this, it is after some time.
  public func execute(on eventLoop: any EventLoop, _ work: @escaping () -> Void) {
    wait(on: eventLoop, since: turns, work)
  }

  private func wait(on eventLoop: any EventLoop, since turn: Int?, _ work: @escaping () -> Void) {
    eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: .microseconds(50)) { [self] in
      if let turn, turn == turns {
        wait(on: eventLoop, since: turn, work)
      } else {
        work()
      }
    }
  }
}
