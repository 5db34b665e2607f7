import DocketJSON
import NIOCore

/// Prints JSON: laid out for reading on a terminal, as it came in a pipe. A line break ends it.
enum DocumentOutput {
  static func write(_ json: ByteBuffer) throws {
    guard StandardStream.output.isTerminal else { return try writeRaw(json) }
    try StandardStream.output.write(json.withUnsafeReadableBytes { JSONFormatter.pretty($0) } + [UInt8(ascii: "\n")])
  }

  /// As it came, on a terminal too.
  static func writeRaw(_ text: ByteBuffer) throws {
    try StandardStream.output.write(Array(text.readableBytesView) + [UInt8(ascii: "\n")])
  }

  /// One of many values: in a pipe it takes one line.
  static func writeLine(_ json: ByteBuffer) throws {
    guard !StandardStream.output.isTerminal else { return try write(json) }
    try StandardStream.output.write((oneLine(json) + [UInt8(ascii: "\n")])[...])
  }

  /// A line break can stand only between tokens, where a space does too.
  static func oneLine(_ json: ByteBuffer) -> [UInt8] {
    json.readableBytesView.map { $0 == 0x0A || $0 == 0x0D ? UInt8(ascii: " ") : $0 }
  }

  /// Prints what a write has answered. Null, which says nothing, is not printed.
  static func writeReceipt(_ json: ByteBuffer) throws {
    if !json.readableBytesView.elementsEqual("null".utf8) { try write(json) }
  }
}
