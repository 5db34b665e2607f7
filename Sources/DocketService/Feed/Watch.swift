import DocketStore
import DocketWire
import NIOCore
import Synchronization

/// One watch of a connection, which the feeds take through the changes.
///
/// `@unchecked Sendable`: what is not constant or atomic belongs to the feed that has the watch, the live one or the one
/// that replays. They hand it to each other through locked queues. `place` and `beat` are always the live feed's.
final class Watch: @unchecked Sendable {
  enum Phase {
    /// Its snapshot is told up to this document. nil: nothing is.
    case snapshot(of: Revision?, behind: DocumentPath?)
    /// All changes up to `position` are told.
    case changes
  }

  let request: WatchRequest
  /// What the connection knows it by.
  let name: String
  let outlet: WatchOutlet
  /// `, "id": …, "continues": true}` and NUL; and the same of its last frame.
  let frameEnd: ByteBuffer
  let lastFrameEnd: ByteBuffer

  var phase: Phase
  var position: Revision
  /// Whether no frame has been made yet.
  var isUntold = true
  /// Whether it is still to be told that it is live.
  var awaitsLive: Bool
  /// When the next heartbeat is due while it is replayed.
  var nextBeat: NIODeadline?
  /// Where the live feed has it; nil: it does not.
  var place: WatchTable.Place?
  /// In which second the live feed sends its next heartbeat; nil: it has not been told of it.
  var beat: Int64?
  /// Within a reading of the live feed: the change before which its connection had no more room.
  var pausedBefore: Revision?

  private let ended = Atomic(false)

  /// - Parameters:
  ///   - id: the request's `id`, as JSON text.
  ///   - position: the revision behind which it begins, if it does not begin with a snapshot.
  init(_ request: WatchRequest, id: ByteBuffer, name: String, position: Revision, outlet: WatchOutlet) {
    self.request = request
    self.name = name
    self.outlet = outlet
    self.position = position
    var end = ByteBuffer(staticString: ", \"id\": ")
    end.writeImmutableBuffer(id)
    lastFrameEnd = end.ended(by: "}\0")
    frameEnd = end.ended(by: ", \"continues\": true}\0")
    if case .snapshot = request.start { phase = .snapshot(of: nil, behind: nil) } else { phase = .changes }
    awaitsLive = true
    nextBeat = request.heartbeatSeconds.map { .now() + .seconds($0) }
  }

  /// Whether it begins with what was written behind its request: that is held for it until the live feed has taken it in.
  var beginsNow: Bool { if case .now = request.start { awaitsLive } else { false } }

  /// Whether nobody wants its frames any more.
  var hasEnded: Bool { ended.load(ordering: .acquiring) }

  /// Returns whether it had not ended yet.
  func end() -> Bool { !ended.exchange(true, ordering: .acquiringAndReleasing) }

  /// What a frame adds to its data: the first one names the history.
  func takeAddition(_ history: ByteBuffer) -> ByteBuffer? {
    guard isUntold else { return nil }
    isUntold = false
    return history
  }
}

extension ByteBuffer {
  fileprivate func ended(by text: StaticString) -> ByteBuffer {
    var buffer = self
    buffer.writeStaticString(text)
    return buffer
  }
}
