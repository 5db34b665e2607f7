/// Keeps a warning that would come again and again to one a minute.
struct WarningInterval {
  private var lastMilliseconds = Int64.min / 2

  private static let milliseconds: Int64 = 60_000

  /// Returns whether it is time to warn, and notes that it was done.
  mutating func permit() -> Bool {
    let now = WallClock.uptimeMilliseconds()
    guard now - lastMilliseconds >= Self.milliseconds else { return false }
    lastMilliseconds = now
    return true
  }
}
