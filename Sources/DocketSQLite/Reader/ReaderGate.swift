/// What long reads pass, so that they do not keep the log from beginning anew by overlapping without end.
///
/// A read that begins before another one has ended holds the log in its turn, up to what is in it then. So while the gate is
/// closed none begins: those that are inside go on to their end, for which they have a deadline, and the log begins anew
/// behind the last of them (https://sqlite.org/wal.html#avoiding_excessively_large_wal_files). Writes wait for none of this.
final class ReaderGate: Sendable {
  private struct State {
    var isClosed = false
    var isOver = false
    var inside = 0
  }

  private let state = Monitor(State())

  /// No read waits longer, whatever becomes of the writer. It is more than the longest one may take, unless `--query-timeout` says more.
  private static let patienceMilliseconds: Int64 = 10_000

  /// Whether nobody is inside.
  var isEmpty: Bool { state.withLock { $0.inside == 0 } }

  var isClosed: Bool { state.withLock(\.isClosed) }

  // MARK: Readers

  func enter() {
    state.wait(until: { !$0.isClosed || $0.isOver }, timeoutMilliseconds: Self.patienceMilliseconds) { $0.inside += 1 }
  }

  func leave() {
    state.withLock { $0.inside -= 1 }
  }

  // MARK: Who closes it

  func close() {
    state.withLock { $0.isClosed = true }
  }

  func open() {
    state.withLock { $0.isClosed = false }
    state.broadcast()
  }

  /// Lets everybody pass from now on: the store is closing.
  func end() {
    state.withLock { $0.isOver = true }
    state.broadcast()
  }
}
