/// How much room the newest changes of this process take in the history, until somebody asks for those that are committed.
struct HistoryTally {
  typealias Change = (sequence: Int64, bytes: Int64)

  private var changes: [Change] = []
  /// Of all of them.
  private(set) var bytes: Int64 = 0

  /// Beyond so many the older half is forgotten, as if others had made it.
  private static let limit = 262_144

  mutating func add(_ sequence: Int64, bytes added: Int64) {
    undo(behind: sequence - 1)
    if changes.count == Self.limit { _ = takeFirst(Self.limit / 2) }
    changes.append((sequence, added))
    bytes += added
  }

  /// To be told of each change that is undone, before others can use its number.
  /// - Parameter sequence: the newest change that stays.
  mutating func undo(behind sequence: Int64) {
    while let last = changes.last, last.sequence > sequence {
      bytes -= last.bytes
      changes.removeLast()
    }
  }

  /// Those up to a number, which are committed, the oldest first.
  mutating func take(through sequence: Int64) -> [Change] {
    takeFirst(changes.firstIndex { $0.sequence > sequence } ?? changes.count)
  }

  private mutating func takeFirst(_ count: Int) -> [Change] {
    let taken = Array(changes.prefix(count))
    changes.removeFirst(count)
    bytes -= taken.reduce(0) { $0 + $1.bytes }
    return taken
  }
}
