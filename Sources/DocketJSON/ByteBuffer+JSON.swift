import NIOCore

extension ByteBuffer {
  /// Writes `text` as a JSON string, quotes included, as `JSONString.encode` does.
  /// - Returns: the number of bytes written.
  @discardableResult
  public mutating func writeJSONString(_ text: String) -> Int {
    let start = writerIndex
    var text = text
    text.withUTF8 { JSONString.encode(UnsafeRawBufferPointer($0)) { writeBytes($0) } }
    return writerIndex - start
  }

  /// Writes bytes as a JSON string, quotes included. Whether they are UTF-8 is not looked at.
  package mutating func writeJSONString(utf8 bytes: UnsafeRawBufferPointer) {
    JSONString.encode(bytes) { writeBytes($0) }
  }
}
