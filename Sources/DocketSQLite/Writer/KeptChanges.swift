import Synchronization

/// Which changes the pruner leaves whatever their age, since somebody has yet to read them.
final class KeptChanges: Sendable {
  private let bound = Atomic<Int64>(.max)

  /// The first of them, and all behind it are, too.
  var first: Int64 { bound.load(ordering: .acquiring) }

  /// - Parameter sequence: those behind it are kept; nil: none.
  func keep(after sequence: Int64?) {
    bound.store(sequence.map { $0 < .max ? $0 + 1 : .max } ?? .max, ordering: .releasing)
  }
}
