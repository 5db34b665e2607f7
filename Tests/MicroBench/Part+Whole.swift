import DocketService
import DocketWire
import NIOCore

/// Requests from received bytes to the bytes of their answers: all that is done for them but what connections and sockets
/// take.
extension Part {
  static func wholeGet(_ store: Store, count: Int) -> Part {
    let limits = WireLimits()
    var stream = FrameStream(limits, count: count, Samples.get)
    var output = ByteBufferAllocator().buffer(capacity: 64 << 10)
    return Part("GET of 100 bytes at hand, bytes to bytes, \(count) to a tick", count: count) {
      output.clear()
      try store.tick { _ in
        try stream.next { frame in
          guard let path = try Envelope(of: frame, depth: limits.depth).plainlyReadPath else {
            preconditionFailure("it is a GET of a path, and no more")
          }
          let isAnswered = frame.withUnsafeReadableBytes {
            store.service.answerAtOnce(UnsafeRawBufferPointer(rebasing: $0[path]), into: &output)
          }
          precondition(isAnswered)
        }
      }
    }
  }

  static func wholePut(_ store: Store, count: Int) -> Part {
    let limits = WireLimits()
    var stream = FrameStream(limits, count: count, Samples.put)
    let router = Router(limits: limits)
    var output = ByteBufferAllocator().buffer(capacity: 64 << 10)
    return Part("PUT of 100 bytes, bytes to bytes, \(count) to a group", count: count) {
      output.clear()
      try store.tick(answers: count) { answered in
        try stream.next { frame in
          let operation = router.operation(for: try Request.parse(frame, depth: limits.depth))
          store.service.perform(operation, withHeaders: false) { response in
            precondition(response.status == .ok)
            output.writeResponse(response, id: nil, withHeaders: false, terminated: true)
            answered()
          }
        }
      }
    }
  }
}
