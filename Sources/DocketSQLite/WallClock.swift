import Glibc

/// What time it is, as the store is told. Tests pass a clock that they move themselves.
public struct WallClock: Sendable {
  /// Milliseconds of UTC since 1970-01-01. It may jump, backwards too, as a machine's clock does.
  public let milliseconds: @Sendable () -> Int64

  public init(milliseconds: @escaping @Sendable () -> Int64) {
    self.milliseconds = milliseconds
  }

  /// The machine's clock.
  public static let system = WallClock { Self.read(CLOCK_REALTIME) }

  /// Milliseconds since some moment before the process began; they never go back.
  static func uptimeMilliseconds() -> Int64 { read(CLOCK_MONOTONIC) }

  /// Nanoseconds since the same moment.
  static func uptimeNanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
  }
}
