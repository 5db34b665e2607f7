import Glibc

/// Which change of its document follows a change, of those that were met lately.
///
/// Changes name the one before them, so the next one is found by whoever comes by it. A look at it costs 0.2 µs, a walk from a
/// document's newest change 1 µs for each link. It is kept from one reading to the next, for readings that go on from where
/// the one before has ended. What it says is to be checked.
final class ChangeSuccessors {
  /// The distance from each change to the next one of its document, by the change's sequence modulo `capacity`; 0: unknown.
  private let distances: UnsafeMutablePointer<UInt32>
  private let links: Statement
  /// The changes of which all that follow up to `end` were noted.
  private var start: Int64 = 0
  private var end: Int64 = 0

  private static let capacity: Int64 = 1 << 18
  /// So many are looked at between two looks whether any is still missing.
  private static let chunk = 256

  init(_ connection: Connection) throws(SQLiteError) {
    links = try connection.prepare(
      "SELECT sequence, previous FROM changes WHERE sequence > ?1 AND sequence <= ?2 ORDER BY sequence")
    // The system gives pages of memory when they are first touched.
    guard let memory = calloc(Int(Self.capacity), MemoryLayout<UInt32>.stride) else {
      preconditionFailure("a mebibyte of memory can be had")
    }
    distances = memory.bindMemory(to: UInt32.self, capacity: Int(Self.capacity))
  }

  deinit { free(distances) }

  /// A reading begins behind a change.
  func begin(behind position: Int64) {
    if position < start || position > end || end - position >= Self.capacity { restart(at: position) }
  }

  func isKnown(_ sequence: Int64) -> Bool { distances[slot(sequence)] != 0 }

  /// The next change of the same document, if it is known.
  func next(of sequence: Int64) -> Int64? {
    let distance = distances[slot(sequence)]
    return distance == 0 ? nil : sequence + Int64(distance)
  }

  /// Notes a change that is read. They come in order.
  func note(_ sequence: Int64, follows previous: Int64?) {
    // Otherwise it was noted before, and perhaps what follows it.
    if sequence > end { noteNew(sequence, follows: previous) }
  }

  /// Looks behind a change for the next ones of others.
  /// - Parameters:
  ///   - missing: those whose next ones are looked for.
  ///   - credit: how many may be looked at.
  func lookAhead(
    of missing: [Int64], from position: Int64, through bound: Int64, credit: inout Int
  ) throws(SQLiteError) {
    if end < position { restart(at: position) }
    guard end < bound, credit > 0 else { return }
    links.bind(end, at: 1)
    links.bind(bound, at: 2)
    defer { links.reset() }
    var missing = missing
    while credit > 0, !missing.isEmpty {
      for _ in 0..<min(Self.chunk, credit) {
        guard try links.step() else {
          end = bound
          return
        }
        credit -= 1
        end = links.int64(0)
        noteNew(end, follows: links.optionalInt64(1))
      }
      missing.removeAll(where: isKnown)
    }
  }

  private func restart(at position: Int64) {
    start = position
    end = position
  }

  private func noteNew(_ sequence: Int64, follows previous: Int64?) {
    // Nothing that follows it has been met.
    distances[slot(sequence)] = 0
    guard let previous, sequence > previous, sequence - previous < Self.capacity else { return }
    distances[slot(previous)] = UInt32(sequence - previous)
  }

  private func slot(_ sequence: Int64) -> Int { Int(truncatingIfNeeded: sequence & (Self.capacity - 1)) }
}
