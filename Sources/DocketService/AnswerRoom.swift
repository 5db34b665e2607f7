import DocketWire
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

  /// Whether there is no room for large answers.
  public var isFull: Bool { waitingBytes > limitBytes }

  /// Notes that so many bytes more wait now, or fewer.
  public func note(_ change: Int) {
    waiting.add(change, ordering: .relaxed)
  }

  /// What an answer takes, for as long as this is there.
  public final class Share: Sendable {
    private let room: AnswerRoom
    private let bytes: Atomic<Int>

    fileprivate init(_ room: AnswerRoom, _ bytes: Int) {
      self.room = room
      self.bytes = Atomic(bytes)
      room.note(bytes)
    }

    deinit { room.note(-bytes.load(ordering: .relaxed)) }

    /// The answer grows while it is made.
    func grow(by more: Int) {
      bytes.add(more, ordering: .relaxed)
      room.note(more)
    }

    /// The answer is ready, and counted by whoever has it.
    func giveBack() { room.note(-bytes.exchange(0, ordering: .relaxed)) }

    /// Whether what others take leaves no room for large answers.
    var isCrowdedOut: Bool { room.waitingBytes - bytes.load(ordering: .relaxed) > room.limitBytes }
  }

  /// What is shorter is not worth counting, and is answered in any case.
  private static let countedBytes = 16 << 10

  /// The largest document that is told now. Whoever asks for one does not know how large it is, and those who read small ones
  /// are not to be refused for others that do not take large ones.
  public var documentBytes: Int { isFull ? Self.countedBytes : .max }

  /// What is answered in the place of an operation that may not begin now.
  public func refusal(of operation: Operation) -> Response? {
    isFull && operation.mayAnswerMuch ? .answersWait(limit: limitBytes) : nil
  }

  /// The answer to an operation, or, where it has changed nothing and that is too large to be told now, that it is so: many may have
  /// begun while there was room, and an echo is as large as its request. Batches look at the room themselves, before they keep what they have changed.
  public func admitted(_ response: Response, to operation: Operation) -> Response {
    guard operation.onlyReadsDocuments || operation.isAnswered, let data = response.data,
      data.readableBytes > documentBytes
    else { return response }
    return .answersWait(limit: limitBytes)
  }

  /// The share of an answer that is yet to be made.
  func emptyShare() -> Share { Share(self, 0) }

  /// The share of an answer; nil for a short one.
  public func share(bytes: Int) -> Share? {
    bytes < Self.countedBytes ? nil : Share(self, bytes)
  }
}
