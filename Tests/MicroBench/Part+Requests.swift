import DocketJSON
import DocketService
import DocketWire
import NIOCore

extension Part {
  static func requests() throws -> [Part] {
    try [("GET", Samples.get(42)), ("PUT", Samples.put(42))].flatMap { method, text in
      try understand("a \(method) of \(text.utf8.count) bytes", text)
    }
  }

  /// What becomes of a request, from received bytes to the operation.
  private static func understand(_ name: String, _ text: String) throws -> [Part] {
    let received = ByteBuffer(string: text + "\0")
    let frame = ByteBuffer(string: text)
    let request = try Request.parse(frame)
    let limits = WireLimits()
    let router = Router(limits: limits)
    var decoder = FrameDecoder(maximumFrameBytes: limits.frameBytes)
    return [
      Part("\(name): cut its frame from what was received") {
        decoder.append(received)
        _ = decoder.next()
      },
      Part("\(name): read its envelope") { _ = try Envelope(of: frame, depth: limits.depth) },
      Part("\(name): parse it whole, envelope included") { _ = try Request.parse(frame, depth: limits.depth) },
      Part("\(name): route it") { _ = router.operation(for: request) },
    ]
  }
}
