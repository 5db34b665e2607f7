import DocketWire
import NIOCore

/// A GET of a path, and no more: it can be answered without an operation being made of it.
struct PlainRead {
  let frame: ByteBuffer
  let envelope: Envelope
  private let path: Range<Int>

  init?(_ frame: ByteBuffer, _ envelope: Envelope) {
    guard let path = envelope.plainlyReadPath else { return nil }
    self.frame = frame
    self.envelope = envelope
    self.path = path
  }

  /// Calls `body` with the path as it stands in the frame.
  func withPath<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    frame.withUnsafeReadableBytes { body(UnsafeRawBufferPointer(rebasing: $0[path])) }
  }
}
