import Glibc
import Synchronization

/// SIGINT and SIGTERM, for work that looks now and then whether it is to stop, and then cleans up behind itself. The second
/// one ends the process at once, as without this.
enum StopSignal {
  private static let stopped = Atomic(false)

  static var isStopped: Bool { stopped.load(ordering: .relaxed) }

  /// To be called before the work begins.
  static func watch() {
    // A handler may not be the first to ask for a static: that takes a lock.
    _ = isStopped
    for number in [SIGINT, SIGTERM] {
      signal(number) { number in
        StopSignal.stopped.store(true, ordering: .relaxed)
        signal(number, SIG_DFL)
      }
    }
  }
}
