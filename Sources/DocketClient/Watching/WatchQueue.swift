import DequeModule
import NIOCore

/// Events that have come and were not taken yet.
///
/// More is read only while few are waiting, so that at most `wantedBytes`, one read and one frame are in memory however
/// fast the server sends; what the kernel has received comes on top when the server closes the connection.
struct WatchQueue {
  static let wantedBytes = 64 << 10
  /// What an event takes besides its text, about.
  private static let eventBytes = 256

  private var events: Deque<WatchEvent> = []
  private var bytes = 0

  var isEmpty: Bool { events.isEmpty }
  var wantsMore: Bool { bytes < Self.wantedBytes }

  mutating func append(_ event: WatchEvent) {
    events.append(event)
    bytes += event.textBytes + Self.eventBytes
  }

  /// All of them, in their order.
  mutating func take() -> Deque<WatchEvent> {
    defer { self = Self() }
    return events
  }
}

extension WatchEvent {
  fileprivate var textBytes: Int {
    switch self {
    case .change(let change): change.json.readableBytes
    case .live(let mark), .heartbeat(let mark): mark.json.readableBytes
    case .reset, .interrupted: 0
    }
  }
}
