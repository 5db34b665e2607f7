import DocketStore
import NIOCore
import Synchronization

/// The work that waits for the writer, in the order in which ticks handed them over.
final class WriteQueue: Sendable {
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
  private let weight = Atomic<Int>(0)
  let limitBytes: Int

  init(limitBytes: Int) {
    self.limitBytes = limitBytes
  }

  /// Takes room for work, from its submission until its answer. Returns false if there is none; where nothing else waits
  /// there is for everything.
  func reserve(_ size: WorkSize) -> Bool {
    let (before, after) = bytes.add(size.bytes, ordering: .relaxed)
    guard before == 0 || after <= limitBytes else {
      bytes.subtract(size.bytes, ordering: .relaxed)
      return false
    }
    weight.add(size.weight, ordering: .relaxed)
    return true
  }

  func release(_ size: WorkSize) {
    bytes.subtract(size.bytes, ordering: .relaxed)
    weight.subtract(size.weight, ordering: .relaxed)
  }

  /// What is reserved at this moment.
  var reservedBytes: Int { bytes.load(ordering: .relaxed) }

  /// Whether what waits takes the writer some tens of milliseconds or more: nobody should have much of it then.
  var isCrowded: Bool { weight.load(ordering: .relaxed) > Self.crowdWeight }
  static let crowdWeight = 4 << 20

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
