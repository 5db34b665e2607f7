/// How many changes this process has made since somebody asked, and how much room they take in the history.
///
/// What was undone does not count. Nobody has to tell of that: the next change has the number of one that was undone, or those
/// are beyond the newest that there is.
struct HistoryTally {
  private var changes: [(sequence: Int64, bytes: Int64)] = []
  /// Of those that came first, where there are many.
  private var settled: (rows: Int64, bytes: Int64) = (0, 0)

  /// Beyond so many the first half counts, whatever is undone then.
  private static let limit = 65_536

  mutating func add(_ sequence: Int64, bytes: Int64) {
    while let last = changes.last, last.sequence >= sequence { changes.removeLast() }
    if changes.count == Self.limit { settle(Self.limit / 2) }
    changes.append((sequence, bytes))
  }

  /// - Parameter newest: the number of the newest change that there is.
  mutating func take(newest: Int64) -> (rows: Int64, bytes: Int64) {
    while let last = changes.last, last.sequence > newest { changes.removeLast() }
    settle(changes.count)
    defer { settled = (0, 0) }
    return settled
  }

  private mutating func settle(_ count: Int) {
    settled.rows += Int64(count)
    for change in changes.prefix(count) { settled.bytes += change.bytes }
    changes.removeFirst(count)
  }
}
