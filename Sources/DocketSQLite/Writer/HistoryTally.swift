/// How much room the newest changes of this process take in the history, until somebody asks for those that are committed.
///
/// What was undone does not count. Nobody has to tell of that: the next change has the number of one that was undone.
struct HistoryTally {
  private var changes: [(sequence: Int64, bytes: Int64)] = []
  /// Of all of them.
  private(set) var bytes: Int64 = 0

  /// Beyond so many the older half is forgotten, as if others had made it.
  private static let limit = 65_536

  mutating func add(_ sequence: Int64, bytes added: Int64) {
    while let last = changes.last, last.sequence >= sequence {
      bytes -= last.bytes
      changes.removeLast()
    }
    if changes.count == Self.limit { _ = takeFirst(Self.limit / 2) }
    changes.append((sequence, added))
    bytes += added
  }

  /// Those up to a number, which are committed.
  mutating func take(through sequence: Int64) -> (rows: Int64, bytes: Int64) {
    takeFirst(changes.firstIndex { $0.sequence > sequence } ?? changes.count)
  }

  private mutating func takeFirst(_ count: Int) -> (rows: Int64, bytes: Int64) {
    let taken = changes.prefix(count).reduce(0) { $0 + $1.bytes }
    changes.removeFirst(count)
    bytes -= taken
    return (Int64(count), taken)
  }
}
