import DocketJSON
import NIOCore

extension Request {
  /// Reads a frame in one pass: the whole of it is checked as JSON, and nothing is built but what is asked for.
  ///
  /// Of a field that is given twice the last one counts; fields that are not known are checked and passed over.
  /// - Parameters:
  ///   - frame: the bytes before the NUL.
  ///   - depth: how many arrays and objects may be open at once in a document.
  public static func parse(
    _ frame: ByteBuffer, depth: Int = JSONLimits.maximumDepth
  ) throws(RequestError) -> Request {
    try Envelope(of: frame, depth: depth).request(from: frame)
  }
}

extension ByteBuffer {
  /// The UTF-8 that the string at `range` stands for; nil for other values, and for half a surrogate pair.
  func text(of range: Range<Int>) -> ByteBuffer? {
    let token = slice(range)
    guard token.readableBytesView.first == UInt8(ascii: "\"") else { return nil }
    guard token.readableBytesView.contains(UInt8(ascii: "\\")) else {
      return slice(range.lowerBound + 1..<range.upperBound - 1)
    }
    return token.withUnsafeReadableBytes { JSONString.decode($0) }.map { ByteBuffer(string: $0) }
  }

  /// The JSON text at `range`, if it is an `id`: a string of at most 64 bytes, or an integer of at most as many
  /// characters.
  func id(at range: Range<Int>) -> ByteBuffer? {
    let value = slice(range)
    if value.readableBytesView.first == UInt8(ascii: "\"") {
      guard let text = text(of: range), text.readableBytes <= WireLimits.idBytes else { return nil }
      return value
    }
    let isInteger = value.readableBytesView.allSatisfy { $0 == UInt8(ascii: "-") || (0x30...0x39).contains($0) }
    return isInteger && range.count <= WireLimits.idBytes ? value : nil
  }

  /// The readable bytes in `range`, counted from the first readable byte.
  func slice(_ range: Range<Int>) -> ByteBuffer {
    guard let slice = getSlice(at: readerIndex + range.lowerBound, length: range.count) else {
      preconditionFailure("a token lies within its frame")
    }
    return slice
  }
}
