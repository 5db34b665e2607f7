import DequeModule
import Synchronization

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
