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
    /// By the uptime clock.
    var closedMilliseconds: Int64?
    var isClosed: Bool { closedMilliseconds != nil }
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

  /// Whether what waits takes the writer some tens of milliseconds or more: nobody should have much of it then. Nor where it takes
  /// much longer than is usual, as the writer has found.
  var isCrowded: Bool {
    let weight = weight.load(ordering: .relaxed)
    return weight > Self.crowdWeight
      || weight > Self.crowdNanoseconds * 1_000 / max(picosecondsOfWeight.load(ordering: .relaxed), 1)
  }
  static let crowdWeight = 4 << 20
  private static let crowdNanoseconds = 250_000_000

  /// The writer has carried out work, in so much time. It counts at once where it was long, and is forgotten by and by.
  func didCarryOut(weight: Int, nanoseconds: Int64) {
    let isLong = nanoseconds >= Self.longNanoseconds
    let found = isLong ? Int(nanoseconds) * 1_000 / max(weight, 1) : 0
    let before = picosecondsOfWeight.load(ordering: .relaxed)
    guard found != before else { return }
    picosecondsOfWeight.store(max(found, before - (before + 7) / 8), ordering: .relaxed)
  }

  private let picosecondsOfWeight = Atomic<Int>(0)
  /// A shorter time says little: others may have had the processor.
  private static let longNanoseconds: Int64 = 10_000_000

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

  /// Whether it has been closed for so long.
  func wasClosed(before milliseconds: Int64) -> Bool {
    state.withLock { state in
      state.closedMilliseconds.map { WallClock.uptimeMilliseconds() - $0 >= milliseconds } ?? false
    }
  }

  /// Takes nothing more; what waits will still be taken.
  func close() {
    state.withLock { $0.closedMilliseconds = $0.closedMilliseconds ?? WallClock.uptimeMilliseconds() }
    state.broadcast()
  }
}
