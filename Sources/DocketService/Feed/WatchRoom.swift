import Synchronization

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
