import Glibc

/// Tells how much time has passed since it was made, and how much of it the processors spent on this process.
struct Stopwatch {
  struct Reading {
    let elapsed: Duration
    let processor: Duration
  }

  private let elapsed = Self.time(of: CLOCK_MONOTONIC)
  private let processor = Self.time(of: CLOCK_PROCESS_CPUTIME_ID)

  var reading: Reading {
    Reading(
      elapsed: Self.time(of: CLOCK_MONOTONIC) - elapsed,
      processor: Self.time(of: CLOCK_PROCESS_CPUTIME_ID) - processor)
  }

  private static func time(of clock: clockid_t) -> Duration {
    var time = timespec()
    clock_gettime(clock, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }
}
