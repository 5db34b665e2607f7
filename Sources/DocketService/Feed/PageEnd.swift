import NIOCore

/// When the reading of a page ends that finds little to tell.
///
/// What is read together before the first change or document can be looked at is read again for the next page, where this one
/// ends within it: so the looking takes at least as long as that.
struct PageEnd {
  private let beginning: NIODeadline
  private var deadline: NIODeadline?

  private static let usual = TimeAmount.milliseconds(5)

  init(of beginning: NIODeadline = .now()) {
    self.beginning = beginning
  }

  /// Asked before each look; the first is always taken.
  mutating func hasCome(at time: NIODeadline = .now()) -> Bool {
    guard let deadline else {
      deadline = time + max(Self.usual, time - beginning)
      return false
    }
    return deadline < time
  }
}
