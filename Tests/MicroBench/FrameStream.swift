import DocketWire
import NIOCore

/// What a socket would bring: the requests of one tick at a time, NULs between them.
struct FrameStream {
  private let received: [ByteBuffer]
  private var place = 0
  private var decoder: FrameDecoder

  /// - Parameters:
  ///   - count: how many requests come together.
  ///   - request: the request about a document.
  init(_ limits: WireLimits, count: Int, _ request: (_ key: Int) -> String) {
    decoder = FrameDecoder(maximumFrameBytes: limits.frameBytes)
    var keys = KeyOrder(count: Store.documents)
    received = (0..<Store.documents / count).map { _ in
      ByteBuffer(string: (0..<count).map { _ in request(keys.next()) + "\0" }.joined())
    }
  }

  /// Calls `body` with each frame of the next tick.
  mutating func next(_ body: (ByteBuffer) throws -> Void) rethrows {
    decoder.append(received[place])
    place = (place + 1) % received.count
    while case .frame(let frame) = decoder.next() { try body(frame) }
  }
}
