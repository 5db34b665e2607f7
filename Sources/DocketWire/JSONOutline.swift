import DocketJSON
import NIOCore

/// Tells where the values of a JSON text lie that its sender has already checked.
///
/// Brackets are matched and strings are checked, but what lies inside a nested value is not: an answer may hold a
/// document as deep as documents may be, inside a page, inside an envelope, and it was checked when it was stored.
package struct JSONOutline {
  private var scanner: JSONScanner

  /// - Parameter bytes: must outlive the outline.
  package init(_ bytes: UnsafeRawBufferPointer) {
    scanner = JSONScanner(bytes)
    scanner.skipWhitespace()
  }

  /// Calls `member` with the name and the place of each value of an object. Names that hold half a surrogate pair, which
  /// no name of the protocol does, are passed over.
  /// - Throws: `JSONError` if the text is not one object.
  package mutating func forEachMember(_ member: (String, Range<Int>) throws -> Void) throws {
    try enter(UInt8(ascii: "{"))
    while try advance(to: UInt8(ascii: "}")) {
      let key = try scanner.skipString()
      scanner.skipWhitespace()
      try skip(UInt8(ascii: ":"))
      scanner.skipWhitespace()
      let value = try skipValue()
      if let name = Self.text(UnsafeRawBufferPointer(rebasing: scanner.bytes[key.range])) {
        try member(name, value)
      }
    }
    try scanner.finish()
  }

  /// Calls `element` with the place of each value of an array.
  /// - Throws: `JSONError` if the text is not one array.
  package mutating func forEachElement(_ element: (Range<Int>) throws -> Void) throws {
    try enter(UInt8(ascii: "["))
    while try advance(to: UInt8(ascii: "]")) {
      try element(try skipValue())
    }
    try scanner.finish()
  }

  /// What a string says; nil for other values, and where it holds half a surrogate pair.
  /// - Parameter value: a value that an outline has told.
  package static func text(_ value: UnsafeRawBufferPointer) -> String? {
    value.first == UInt8(ascii: "\"") ? JSONString.decode(value) : nil
  }

  private var isFirst = true

  private mutating func enter(_ bracket: UInt8) throws(JSONError) {
    try skip(bracket)
    isFirst = true
  }

  /// Moves on to the next member or element; false if the closing bracket was there.
  private mutating func advance(to bracket: UInt8) throws(JSONError) -> Bool {
    scanner.skipWhitespace()
    if scanner.next == bracket {
      scanner.offset += 1
      return false
    }
    if !isFirst {
      try skip(UInt8(ascii: ","))
      scanner.skipWhitespace()
    }
    isFirst = false
    return true
  }

  private mutating func skip(_ byte: UInt8) throws(JSONError) {
    guard let found = scanner.next else { throw JSONError(.unexpectedEnd, offset: scanner.offset) }
    guard found == byte else { throw JSONError(.unexpectedByte(found), offset: scanner.offset) }
    scanner.offset += 1
  }

  private mutating func skipValue() throws(JSONError) -> Range<Int> {
    guard scanner.next == UInt8(ascii: "{") || scanner.next == UInt8(ascii: "[") else { return try scanner.skipValue() }
    let start = scanner.offset
    var open = 0
    while let byte = scanner.next {
      switch byte {
      case UInt8(ascii: "\""):
        _ = try scanner.skipString()
        continue
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        open += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        open -= 1
      default:
        break
      }
      scanner.offset += 1
      if open == 0 { return start..<scanner.offset }
    }
    throw JSONError(.unexpectedEnd, offset: scanner.offset)
  }
}
