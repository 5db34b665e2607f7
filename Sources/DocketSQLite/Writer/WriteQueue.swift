import DocketStore
import NIOCore
import Synchronization

/// The work that waits for the writer, in the order in which ticks handed them over.
final class WriteQueue: Sendable {
  /// What a write, a transaction, or a request in one is reckoned to take besides its data.
  static let overheadBytes = 256

  /// The work of one tick of one session.
  struct Submission: Sendable {
    let destination: AnswerDestination
    let work: [Work]
    /// By the uptime clock.
    let submittedMilliseconds: Int64
  }

  private struct State {
    var waiting: [Submission] = []
    var isClosed = false
  }

  private let state = Monitor(State())
  private let bytes = Atomic<Int>(0)
  let limitBytes: Int

  init(limitBytes: Int) {
    self.limitBytes = limitBytes
  }

  /// Takes room for work, from its submission until its answer. Returns false if there is none.
  func reserve(_ count: Int) -> Bool {
    if bytes.add(count, ordering: .relaxed).newValue <= limitBytes { return true }
    release(count)
    return false
  }

  /// What is reserved at this moment.
  var reservedBytes: Int { bytes.load(ordering: .relaxed) }

  /// Whether so much waits that nobody should have many writes in here.
  var isCrowded: Bool { reservedBytes > limitBytes / 16 }

  func release(_ count: Int) {
    bytes.subtract(count, ordering: .relaxed)
  }

  /// Hands work over. Returns false once the queue is closed; it was not taken then.
  func add(_ submission: Submission) -> Bool {
    let isTaken = state.withLock { state in
      if state.isClosed { return false }
      state.waiting.append(submission)
      return true
    }
    if isTaken { state.signal() }
    return isTaken
  }

  /// Takes all that waits, waiting for it if there is nothing; for no longer than the time-out (nil: without end).
  func take(timeoutMilliseconds: Int64?) -> (submissions: [Submission], isClosed: Bool) {
    state.wait(until: { !$0.waiting.isEmpty || $0.isClosed }, timeoutMilliseconds: timeoutMilliseconds) { state in
      let taken = state.waiting
      state.waiting = []
      return (taken, state.isClosed)
    }
  }

  var isEmpty: Bool { state.withLock { $0.waiting.isEmpty } }

  var isClosed: Bool { state.withLock { $0.isClosed } }

  /// Takes nothing more; what waits will still be taken.
  func close() {
    state.withLock { $0.isClosed = true }
    state.broadcast()
  }
}
