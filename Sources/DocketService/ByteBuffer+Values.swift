import DocketJSON
import NIOCore

/// The parts of JSON text that was checked when it was received.
extension ByteBuffer {
  /// The members of an object, in the order of the text; nil for another value, and where a name holds half a surrogate pair.
  package var jsonMembers: [(name: String, value: ByteBuffer)]? { jsonMembers(atMost: .max) }

  /// The same, and no more of them than `limit`: where so many are wrong, the others need not be looked at.
  func jsonMembers(atMost limit: Int) -> [(name: String, value: ByteBuffer)]? {
    withUnsafeReadableBytes { bytes -> [(String, Range<Int>)]? in
      guard var walk = try? JSONMembers(of: JSONScanner(bytes)) else { return nil }
      var members: [(String, Range<Int>)] = []
      while members.count < limit, let member = try? walk.next() {
        guard let name = JSONString.decode(UnsafeRawBufferPointer(rebasing: bytes[member.key.range])) else {
          return nil
        }
        members.append((name, member.value))
      }
      return members
    }?.map { ($0, part($1)) }
  }

  /// The elements of an array; nil for another value.
  var jsonElements: [ByteBuffer]? {
    withUnsafeReadableBytes { JSONChildren.elements(of: $0) }?.map(part)
  }

  /// Of a string what it says, of another value its JSON; nil where a string holds half a surrogate pair.
  package var jsonText: String? {
    guard isJSONString else { return String(buffer: self) }
    return withUnsafeReadableBytes { JSONString.decode($0) }
  }

  var isJSONString: Bool { readableBytesView.first == UInt8(ascii: "\"") }

  var isNull: Bool { readableBytesView.elementsEqual("null".utf8) }

  /// What `true` and `false` say; nil for another value.
  var jsonBool: Bool? {
    if readableBytesView.elementsEqual("true".utf8) { return true }
    return readableBytesView.elementsEqual("false".utf8) ? false : nil
  }

  private func part(_ range: Range<Int>) -> ByteBuffer {
    guard let part = getSlice(at: readerIndex + range.lowerBound, length: range.count) else {
      preconditionFailure("a part lies within its text")
    }
    return part
  }
}
