import DequeModule
import DocketStore
import NIOConcurrencyHelpers
import Synchronization

/// The thread of a feed, as others see it.
final class FeedThread: Sendable {
  /// In a value of its own: a closure that a generic container hands out and takes back gets wrapped once more each time.
  private struct Waker {
    var wake: (@Sendable () -> Void)?
  }

  private let waker = NIOLockedValueBox(Waker())
  private let isWaitingForRoom = Atomic(false)
  private let stopped = Atomic(false)
  private let running = Atomic(false)

  var wake: (@Sendable () -> Void)? {
    get { waker.withLockedValue(\.wake) }
    set { waker.withLockedValue { $0.wake = newValue } }
  }

  /// Whether the thread is to end.
  var isStopped: Bool { stopped.load(ordering: .acquiring) }

  /// Whether the thread is at work.
  var isRunning: Bool { running.load(ordering: .acquiring) }

  /// Has the thread end.
  func stop() {
    stopped.store(true, ordering: .releasing)
    wake?()
  }

  /// Calls `body`, which is the thread's work.
  func run(_ body: () -> Void) {
    running.store(true, ordering: .releasing)
    body()
    running.store(false, ordering: .releasing)
  }

  func wakeIfWaitingForRoom() {
    if isWaitingForRoom.load(ordering: .acquiring) { wake?() }
  }

  /// Waits, on the thread, until the event loop has come near to what was handed over to it.
  /// - Returns: false once it is to end.
  func waitForRoom(_ port: WatchPort, _ reader: any ChangeReader) -> Bool {
    guard port.isFull else { return true }
    isWaitingForRoom.store(true, ordering: .sequentiallyConsistent)
    defer { isWaitingForRoom.store(false, ordering: .sequentiallyConsistent) }
    while port.isFull {
      guard reader.wait(forChanges: false, milliseconds: Self.longestPauseMilliseconds), !isStopped else {
        return false
      }
    }
    return true
  }

  private static let longestPauseMilliseconds: Int64 = 50
}

/// What the live feed is asked to do.
final class LiveQueue: Sendable {
  struct Orders: Sendable {
    var attaching: [Watch] = []
    var detaching: [Watch] = []

    var isEmpty: Bool { attaching.isEmpty && detaching.isEmpty }
  }

  let follower = FeedThread()
  private let orders = NIOLockedValueBox(Orders())

  func attach(_ watch: Watch) { add { $0.attaching.append(watch) } }

  func detach(_ watch: Watch) { add { $0.detaching.append(watch) } }

  var isEmpty: Bool { orders.withLockedValue(\.isEmpty) }

  /// Where those begin that wait to be taken in.
  var positions: [Revision] { orders.withLockedValue { $0.attaching.map(\.position) } }

  func take() -> Orders {
    orders.withLockedValue { orders in
      defer { orders = Orders() }
      return orders
    }
  }

  private func add(_ body: (inout Orders) -> Void) {
    let isFirst = orders.withLockedValue { orders in
      defer { body(&orders) }
      return orders.isEmpty
    }
    if isFirst { follower.wake?() }
  }
}

/// The watches that wait for a reading of the history. Their connections take turns, so that one that has many keeps the others
/// waiting for one reading each time.
final class ReplayQueue: Sendable {
  private struct State {
    /// The connections that have any, in their turn.
    var turns: Deque<ObjectIdentifier> = []
    var watches: [ObjectIdentifier: Deque<Watch>] = [:]
    var count = 0
    /// How many watches have ended, here or elsewhere, since those that have were removed.
    var ended = 0

    mutating func add(_ watch: Watch) {
      let connection = ObjectIdentifier(watch.outlet)
      if watches[connection] == nil { turns.append(connection) }
      watches[connection, default: []].append(watch)
      count += 1
    }

    mutating func next() -> Watch? {
      guard let connection = turns.popFirst(), let next = watches[connection]?.popFirst() else { return nil }
      count -= 1
      if watches[connection]?.isEmpty == true { watches[connection] = nil } else { turns.append(connection) }
      return next
    }

    mutating func removeEnded() {
      for connection in turns { watches[connection]?.removeAll(where: \.hasEnded) }
      turns.removeAll { watches[$0]?.isEmpty != false }
      watches = watches.filter { !$0.value.isEmpty }
      count = watches.values.reduce(0) { $0 + $1.count }
      ended = 0
    }
  }

  let follower = FeedThread()
  private let state = NIOLockedValueBox(State())

  func add(_ more: [Watch]) {
    let isFirst = state.withLockedValue { state in
      defer { for watch in more { state.add(watch) } }
      return state.count == 0
    }
    if isFirst { follower.wake?() }
  }

  var isEmpty: Bool { count == 0 }

  /// How many are kept, those among them that have ended and are not removed yet.
  var count: Int { state.withLockedValue(\.count) }

  /// A watch has ended that may be here. Those that have are removed together: event loops wait while each is looked at.
  func didEnd() {
    state.withLockedValue { state in
      state.ended += 1
      if 2 * state.ended > state.count { state.removeEnded() }
    }
  }

  func next() -> Watch? { state.withLockedValue { $0.next() } }
}
