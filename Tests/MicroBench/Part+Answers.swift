import DocketWire
import NIOCore

extension Part {
  static var answers: [Part] {
    let written = Response(
      .ok,
      data: ByteBuffer(string: #"{"path": "\#(Samples.path(42))", "id": "\#(Samples.id(42))", "revision": 123456}"#))
    let document = ByteBuffer(string: Samples.document)
    return [
      encode("encode the answer to a PUT") {
        $0.writeResponse(written, id: nil, withHeaders: false, terminated: true)
      },
      encode("encode the answer to a GET, 100 bytes") { output in
        document.withUnsafeReadableBytes { output.writeDocumentResponse($0) }
      },
    ]
  }

  /// Into a buffer that has room, as nearly all have.
  private static func encode(_ name: String, _ write: @escaping (inout ByteBuffer) -> Void) -> Part {
    var output = ByteBufferAllocator().buffer(capacity: 4_096)
    return Part(name) {
      output.clear()
      write(&output)
    }
  }
}
