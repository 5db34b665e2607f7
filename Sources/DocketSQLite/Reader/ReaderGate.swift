/// What long reads pass, so that they do not keep the log from beginning anew by overlapping without end.
///
/// A read that begins before another one has ended holds the log in its turn, up to what is in it then. So while the gate is
/// closed none begins: those that are inside go on to their end, for which they have a deadline, and the log begins anew
/// behind the last of them (https://sqlite.org/wal.html#avoiding_excessively_large_wal_files). Writes wait for none of this.
final class ReaderGate: Sendable {
  private struct State {
    /// By the machine's uptime.
    var closedAt: Int64?
    var isOver = false
    var inside = 0
    /// How often it was opened.
    var openings = 0
  }

  private let state = Monitor(State())
  private let patienceMilliseconds: Int64

  /// - Parameter patienceMilliseconds: No read waits longer, whatever becomes of the writer.
  init(patienceMilliseconds: Int64) { self.patienceMilliseconds = patienceMilliseconds }

  var isClosed: Bool { state.withLock { $0.closedAt != nil } }

  /// Whether it is closed and some are inside who should have left soon. Those who have been there for longer than anybody waits
  /// outside are not waited for.
  var waitsForReaders: Bool {
    state.withLock { state in
      guard let closedAt = state.closedAt, state.inside > 0 else { return false }
      return WallClock.uptimeMilliseconds() - closedAt < patienceMilliseconds
    }
  }

  // MARK: Readers

  func enter() {
    let opened = state.withLock { $0.openings }
    state.wait(
      // Whoever has waited for it to open gets in, also where it is closed again before he has woken.
      until: { $0.closedAt == nil || $0.openings != opened || $0.isOver }, timeoutMilliseconds: patienceMilliseconds
    ) { $0.inside += 1 }
  }

  /// For a reader on whom others wait: as long as somebody is inside anyhow it gets in, and otherwise waits for what the writer
  /// does then, no longer than that takes.
  func enterUrgently() {
    state.wait(
      until: { $0.closedAt == nil || $0.inside > 0 || $0.isOver }, timeoutMilliseconds: Self.urgentMilliseconds
    ) { $0.inside += 1 }
  }

  /// Longer than the writer lets pass between two looks at a closed gate.
  private static let urgentMilliseconds: Int64 = 100

  func leave() {
    state.withLock { $0.inside -= 1 }
  }

  // MARK: Who closes it

  func close() {
    state.withLock { $0.closedAt = $0.closedAt ?? WallClock.uptimeMilliseconds() }
  }

  func open() {
    let wasClosed = state.withLock { state in
      defer { state.closedAt = nil }
      guard state.closedAt != nil else { return false }
      state.openings += 1
      return true
    }
    if wasClosed { state.broadcast() }
  }

  /// Lets everybody pass from now on: the store is closing.
  func end() {
    state.withLock { $0.isOver = true }
    state.broadcast()
  }
}
