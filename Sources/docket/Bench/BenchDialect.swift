import DocketWire
import NIOCore

/// Cuts what a server sends into answers, of which only the code is looked at.
struct BenchAnswers {
  private let dialect: BenchPlan.Dialect
  private var frames = FrameDecoder(maximumFrameBytes: 1 << 30)
  private var replies = ByteBuffer()

  init(_ dialect: BenchPlan.Dialect) { self.dialect = dialect }

  mutating func append(_ bytes: ByteBuffer) {
    switch dialect {
    case .docket: frames.append(bytes)
    case .redis:
      replies.discardReadBytes()
      replies.writeImmutableBuffer(bytes)
    }
  }

  /// The code of the next whole answer; nil where there is none yet. Of Redis's replies an error is 500, null is 404.
  mutating func next() -> Int? {
    switch dialect {
    case .docket:
      guard case .frame(let frame)? = frames.next() else { return nil }
      return Self.code(of: frame)
    case .redis: return nextReply()
    }
  }

  /// What stands behind `{"code": `; 0 where there is none.
  static func code(of frame: ByteBuffer) -> Int {
    guard frame.readableBytes >= 12 else { return 0 }
    return frame.readableBytesView.dropFirst(9).prefix(3).reduce(0) { $0 * 10 + Int($1) - 0x30 }
  }

  /// Simple strings, errors and bulk strings (https://redis.io/docs/latest/develop/reference/protocol-spec/).
  private mutating func nextReply() -> Int? {
    let view = replies.readableBytesView
    guard let end = view.firstIndex(of: 0x0A), let kind = view.first else { return nil }
    let line = end - view.startIndex + 1
    guard kind == UInt8(ascii: "$") else {
      replies.moveReaderIndex(forwardBy: line)
      return kind == UInt8(ascii: "-") ? 500 : 200
    }
    guard let length = Int(String(decoding: view[(view.startIndex + 1)..<(end - 1)], as: UTF8.self)) else { return 0 }
    guard length >= 0 else {
      replies.moveReaderIndex(forwardBy: line)
      return 404
    }
    guard replies.readableBytes >= line + length + 2 else { return nil }
    replies.moveReaderIndex(forwardBy: line + length + 2)
    return 200
  }

  mutating func discard() {
    frames.discard()
    replies.clear()
  }
}
