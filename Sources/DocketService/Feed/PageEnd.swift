import NIOCore

/// When the reading of a page ends that finds little to tell.
struct PageEnd {
  private let deadline: NIODeadline

  static let longest = TimeAmount.milliseconds(5)

  init(of beginning: NIODeadline = .now()) {
    deadline = beginning + Self.longest
  }

  /// - Parameter count: how many were looked at; one is, however long it takes.
  func hasCome(behind count: Int, at time: NIODeadline = .now()) -> Bool { count > 0 && deadline < time }
}
