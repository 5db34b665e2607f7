/// How long to wait before connecting again: exponential, with full jitter, so that clients which lost one server
/// together do not come back together (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
struct Backoff {
  static let first = Duration.milliseconds(50)

  let maximum: Duration

  /// - Parameter failures: how many attempts have failed since the last success. After none there is no pause.
  func pause(failures: Int, using generator: inout some RandomNumberGenerator) -> Duration {
    guard failures > 0 else { return .zero }
    // Sixteen doublings are past every maximum of use.
    let bound = min(Self.first * (1 << min(failures - 1, 16)), maximum)
    let milliseconds = bound.components.seconds * 1000 + bound.components.attoseconds / 1_000_000_000_000_000
    return .milliseconds(Int64.random(in: 0...max(milliseconds, 0), using: &generator))
  }
}
