import DequeModule
import NIOConcurrencyHelpers
import NIOCore
import Synchronization

/// Where the frames of one connection's watches go, and how many of its bytes are on their way: from the feeds, through the
/// event loop, to the kernel.
///
/// `@unchecked Sendable`: `receiver` belongs to the event loop, `tail` to the live feed.
final class WatchOutlet: @unchecked Sendable {
  let port: WatchPort
  private let room: WatchRoom
  private let limitBytes: Int
  private let waitingBytes = Atomic(0)
  /// Watches that go on when the connection has taken what is on its way.
  private let parked = NIOLockedValueBox<[Watch]>([])
  private let hasParked = Atomic(false)

  /// Takes the frames; nil once the connection has ended.
  weak var receiver: ConnectionWatches?
  /// Of the frames that the live feed is putting together: the last one for this connection.
  var tail: Int32 = -1

  init(port: WatchPort, room: WatchRoom, limitBytes: Int) {
    self.port = port
    self.room = room
    self.limitBytes = limitBytes
  }

  /// So much may wait on a connection however full the common room is: those who keep up are not to pay for those who do not.
  private static let ownBytes = 16 << 10

  /// How much may be read for it at once.
  var pageBytes: Int { room.isFull ? Self.ownBytes : Self.longestPageBytes }

  private static let longestPageBytes = 64 << 10

  /// Whether no further frames are to be made for it.
  var isFull: Bool {
    let waiting = waitingBytes.load(ordering: .relaxed)
    return waiting > limitBytes || (waiting > min(Self.ownBytes, limitBytes) && room.isFull)
  }

  func add(_ bytes: Int) {
    waitingBytes.add(bytes, ordering: .sequentiallyConsistent)
    room.add(bytes)
  }

  /// What was added is not sent after all.
  func takeBack(_ bytes: Int) {
    waitingBytes.subtract(bytes, ordering: .sequentiallyConsistent)
    room.add(-bytes)
  }

  /// Has a watch go on behind what is on its way. It may be already.
  func park(_ watch: Watch) {
    parked.withLockedValue { $0.append(watch) }
    hasParked.store(true, ordering: .sequentiallyConsistent)
    // Whoever comes later of this and `drained`, each of which looks at the other's mark, goes on.
    if waitingBytes.load(ordering: .sequentiallyConsistent) == 0 { goOn() }
  }

  /// Forgets a watch that has ended, if it is parked.
  func forget(_ watch: Watch) {
    guard hasParked.load(ordering: .sequentiallyConsistent) else { return }
    parked.withLockedValue { $0.removeAll { $0 === watch } }
  }

  /// Of what was handed over, so much is in the kernel, or nowhere, if the connection has ended.
  func drained(_ bytes: Int) {
    guard bytes > 0 else { return }
    takeBack(bytes)
    if hasParked.load(ordering: .sequentiallyConsistent), waitingBytes.load(ordering: .sequentiallyConsistent) == 0 {
      goOn()
    }
  }

  private func goOn() {
    hasParked.store(false, ordering: .sequentiallyConsistent)
    let watches = parked.withLockedValue { parked in
      defer { parked = [] }
      return parked
    }
    if !watches.isEmpty { room.resume(watches) }
  }
}

/// How much is on its way to all connections.
final class WatchRoom: Sendable {
  private let bytes = Atomic(0)
  private let limitBytes: Int
  /// Has watches replayed that had stopped for want of room.
  let resume: @Sendable ([Watch]) -> Void

  init(limitBytes: Int, resume: @escaping @Sendable ([Watch]) -> Void) {
    self.limitBytes = limitBytes
    self.resume = resume
  }

  var isFull: Bool { bytes.load(ordering: .relaxed) > limitBytes }

  func add(_ count: Int) { bytes.add(count, ordering: .relaxed) }
}

/// The way to the connections of one event loop.
///
/// What is handed over is written a few connections at a time, with the loop's other work in between: to tell ten thousand
/// connections of a change takes a tenth of a second, which no request is to wait for. And the feeds wait until the loop has
/// come near to the end of it. Meanwhile there are more changes, which then go out together: a connection's frames of all of
/// them cost little more than one.
///
/// `@unchecked Sendable`: `queue` belongs to the event loop.
public final class WatchPort: @unchecked Sendable {
  private let execute: @Sendable (@escaping @Sendable () -> Void) -> Void
  private let pause: @Sendable (@escaping @Sendable () -> Void) -> Void
  private let framesOnTheirWay = Atomic(0)
  private let bytesOnTheirWay = Atomic(0)
  private var queue: Deque<(delivery: WatchDelivery, done: @Sendable () -> Void)> = []
  /// How many connections have been handed the first of `queue`.
  private var handedOver = 0

  /// The feeds wait where so much has been handed over that the loop has not come to yet.
  private static let limitFrames = 4_096
  private static let limitBytes = 4 << 20
  private static let connectionsAtATime = 128

  /// - Parameters:
  ///   - execute: runs work on the event loop, in the order of the calls.
  ///   - pause: runs work on the event loop behind what it has to do besides.
  public init(
    execute: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void,
    pause: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void
  ) {
    self.execute = execute
    self.pause = pause
  }

  var isFull: Bool {
    framesOnTheirWay.load(ordering: .acquiring) > Self.limitFrames
      || bytesOnTheirWay.load(ordering: .acquiring) > Self.limitBytes
  }

  /// - Parameter done: called on the loop when there is more room.
  func deliver(_ delivery: WatchDelivery, done: @escaping @Sendable () -> Void) {
    framesOnTheirWay.add(delivery.frames.count, ordering: .acquiringAndReleasing)
    bytesOnTheirWay.add(delivery.textBytes, ordering: .acquiringAndReleasing)
    execute { [self] in
      queue.append((delivery, done))
      if queue.count == 1 { handOver() }
    }
  }

  private func handOver() {
    var left = Self.connectionsAtATime
    while left > 0, let (delivery, done) = queue.first {
      let connections = delivery.connections
      let end = min(handedOver + left, connections)
      let frames = delivery.handOver(handedOver..<end)
      left -= end - handedOver
      handedOver = end
      framesOnTheirWay.subtract(frames, ordering: .acquiringAndReleasing)
      if end == connections {
        bytesOnTheirWay.subtract(delivery.textBytes, ordering: .acquiringAndReleasing)
        queue.removeFirst()
        handedOver = 0
      }
      if !isFull { done() }
    }
    if !queue.isEmpty { pause { [self] in handOver() } }
  }
}
