import Glibc

/// How much of the machine a backup takes: it rests in proportion to what it has worked, so that writers hardly feel it.
final class BackupPace {
  /// For each part of work so many parts of rest.
  private let restPerWork: Double
  private var began = WallClock.uptimeMicroseconds()

  /// One rest at most: whoever stops a backup waits no longer.
  private static let longestRestMicroseconds: Int64 = 100_000
  /// Shorter ones are put together.
  private static let shortestRestMicroseconds: Int64 = 200

  init(restPerWork: Double) {
    self.restPerWork = restPerWork
  }

  /// To be called often: rests if it is time to.
  func rest() {
    guard restPerWork > 0 else { return }
    let worked = WallClock.uptimeMicroseconds() - began
    let rest = min(Int64(Double(worked) * restPerWork), Self.longestRestMicroseconds)
    guard rest >= Self.shortestRestMicroseconds else { return }
    usleep(UInt32(rest))
    began = WallClock.uptimeMicroseconds()
  }
}

extension WallClock {
  /// Microseconds since some moment before the process began; they never go back.
  fileprivate static func uptimeMicroseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
  }
}
