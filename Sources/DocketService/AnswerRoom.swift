import Synchronization

/// How much of answers waits to be taken by clients, on all connections of a server, whichever protocol they speak.
///
/// An answer that nobody takes is kept, and a page or a list can be large. Each connection has its own bound, but there are
/// many connections; this is the one for all of them together.
public final class AnswerRoom: Sendable {
  public let limitBytes: Int
  private let waiting = Atomic(0)

  public init(limitBytes: Int) {
    self.limitBytes = limitBytes
  }

  public var waitingBytes: Int { waiting.load(ordering: .relaxed) }

  /// Whether there is no room for answers that may be large.
  public var isFull: Bool { waitingBytes > limitBytes }

  /// Notes that so many bytes more wait now, or fewer.
  public func note(_ change: Int) {
    waiting.add(change, ordering: .relaxed)
  }

  /// What an answer takes, for as long as this is there.
  public final class Share: Sendable {
    private let room: AnswerRoom
    private let bytes: Int

    fileprivate init(_ room: AnswerRoom, _ bytes: Int) {
      self.room = room
      self.bytes = bytes
      room.note(bytes)
    }

    deinit { room.note(-bytes) }
  }

  /// What is shorter is not worth counting.
  private static let countedBytes = 16 << 10

  /// The share of an answer; nil for a short one.
  public func share(bytes: Int) -> Share? {
    bytes < Self.countedBytes ? nil : Share(self, bytes)
  }
}
