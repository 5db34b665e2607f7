import NIOCore

/// The time by which a loop measures how long requests take. Within one turn of the loop it is read once, when it is first asked
/// for: all that is delivered in a turn came at the same moment.
struct TickClock {
  private var reading: UInt64?

  /// In nanoseconds, since some moment before the process began.
  mutating func moment() -> UInt64 {
    if let reading { return reading }
    let now = Self.now()
    reading = now
    return now
  }

  /// The turn is over.
  mutating func forget() { reading = nil }

  static func now() -> UInt64 { NIODeadline.now().uptimeNanoseconds }
}
