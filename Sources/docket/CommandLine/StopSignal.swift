import Glibc
import Synchronization

/// SIGINT, SIGTERM, and SIGHUP where nobody has it ignored (`nohup`), for work that looks now and then whether it is to stop,
/// and then cleans up behind itself. The second one ends the process at once, as without this.
enum StopSignal {
  private static let stopped = Atomic(false)

  static var isStopped: Bool { stopped.load(ordering: .relaxed) }

  /// Waits for so long, or until it has come. Returns whether it has.
  static func comes(within duration: Duration) async -> Bool {
    let end = ContinuousClock.now + duration
    while !isStopped, ContinuousClock.now < end {
      try? await Task.sleep(for: min(.milliseconds(100), ContinuousClock.now.duration(to: end)))
    }
    return isStopped
  }

  /// Runs what waits for others, and cancels it once the signal has come.
  static func endsOnStop<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
    try await withThrowingTaskGroup(of: Value?.self) { group in
      group.addTask { try await body() }
      group.addTask {
        while !isStopped { try await Task.sleep(for: .milliseconds(100)) }
        return nil
      }
      defer { group.cancelAll() }
      guard let value = try await group.next() ?? nil else { throw CommandFailure("stopped; nothing was made") }
      return value
    }
  }

  /// To be called before the work begins.
  static func watch() {
    // A handler may not be the first to ask for a static: that takes a lock.
    _ = isStopped
    // Addresses of functions, which Swift does not compare as such; `SIG_IGN` is the number 1.
    let isHangUpIgnored =
      unsafeBitCast(signal(SIGHUP, SIG_IGN), to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    for number in [SIGINT, SIGTERM] + (isHangUpIgnored ? [] : [SIGHUP]) {
      signal(number) { number in
        StopSignal.stopped.store(true, ordering: .relaxed)
        signal(number, SIG_DFL)
      }
    }
  }
}
