extension JSONScanner {
  /// Skips one string, whose opening quote is at `offset`.
  @inlinable
  public mutating func skipString() throws(JSONError) -> StringToken {
    guard next == UInt8(ascii: "\"") else { throw unexpected() }
    let start = offset
    offset &+= 1
    var hasEscapes = false
    while true {
      skipPlainASCII()
      guard offset < end else { throw unexpected() }
      switch bytes[offset] {
      case UInt8(ascii: "\""):
        offset &+= 1
        return StringToken(range: start..<offset, hasEscapes: hasEscapes)
      case UInt8(ascii: "\\"):
        hasEscapes = true
        try skipEscape()
      case 0x80...:
        try skipMultibyteCharacters()
      case ..<0x20:
        throw JSONError(.controlCharacterInString, offset: offset)
      default:
        offset &+= 1
      }
    }
  }

  /// Skips characters that mean themselves, eight bytes a step, and 32 once a string has proven to be long; within the last
  /// eight bytes of the text it may skip none.
  ///
  /// Most strings are shorter than a call is worth: compiled into `skipString` it checks requests and records 8 % faster.
  @inlinable
  @inline(__always)
  mutating func skipPlainASCII() {
    let start = offset
    while offset &+ 8 <= end {
      if offset &- start == 64 { skipLongPlainASCII() }
      guard offset &+ 8 <= end else { return }
      let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      let special = Self.specialBytes(word)
      guard special == 0 else {
        offset &+= special.trailingZeroBitCount &>> 3
        return
      }
      offset &+= 8
    }
  }

  /// Skips as many whole pieces of 32 bytes as hold nothing but characters that mean themselves.
  @usableFromInline
  mutating func skipLongPlainASCII() {
    guard let base = bytes.baseAddress else { return }
    while offset &+ 32 <= end {
      let first = Self.specialBytes((base + offset).loadUnaligned(as: SIMD16<UInt8>.self))
      let second = Self.specialBytes((base + offset + 16).loadUnaligned(as: SIMD16<UInt8>.self))
      let marks = unsafeBitCast(first .| second, to: SIMD2<UInt64>.self)
      guard marks.x | marks.y == 0 else { return }
      offset &+= 32
    }
  }

  /// Marks the bytes below 0x20, above 0x7F, quotes and backslashes.
  ///
  /// The comparands are vectors, too: comparing with a number compiles to a loop over the bytes.
  @inline(__always)
  private static func specialBytes(_ piece: SIMD16<UInt8>) -> SIMDMask<SIMD16<Int8>> {
    (piece .< SIMD16<UInt8>(repeating: 0x20)) .| (piece .> SIMD16<UInt8>(repeating: 0x7F))
      .| (piece .== SIMD16<UInt8>(repeating: UInt8(ascii: "\"")))
      .| (piece .== SIMD16<UInt8>(repeating: UInt8(ascii: "\\")))
  }

  /// Marks the bytes below 0x20, above 0x7F, quotes and backslashes by their highest bit.
  ///
  /// The lowest mark is exact. A borrow may set false ones above it, as in the `haszero` of "Bit Twiddling Hacks".
  @inlinable
  static func specialBytes(_ word: UInt64) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let quotes = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
    let backslashes = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
    let control = (word &- ones &* 0x20) & ~word
    return (control | (quotes &- ones) & ~quotes | (backslashes &- ones) & ~backslashes | word) & (ones &* 0x80)
  }

  /// Skips one escape, whose backslash is at `offset`. Half of a surrogate pair is an escape like any other (RFC 8259, section 8.2).
  @usableFromInline
  mutating func skipEscape() throws(JSONError) {
    guard offset &+ 1 < end else { throw JSONError(.unexpectedEnd, offset: end) }
    switch bytes[offset &+ 1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      offset &+= 2
    case UInt8(ascii: "u"):
      for digit in offset &+ 2..<offset &+ 6 {
        guard digit < end else { throw JSONError(.unexpectedEnd, offset: end) }
        guard HexDigit.value(of: bytes[digit]) != nil else { throw JSONError(.invalidEscape, offset: offset) }
      }
      offset &+= 6
    default:
      throw JSONError(.invalidEscape, offset: offset)
    }
  }

  /// Skips the characters of more than one byte that begin at `offset`: the well-formed sequences of Unicode's table 3-7, so
  /// no overlong forms, no surrogates, nothing past U+10FFFF.
  @usableFromInline
  mutating func skipMultibyteCharacters() throws(JSONError) {
    while offset < end, bytes[offset] >= 0x80 {
      let length: Int
      // What the second byte may be; all later ones are 0x80...0xBF.
      let second: ClosedRange<UInt8>
      switch bytes[offset] {
      case 0xC2...0xDF: (length, second) = (2, 0x80...0xBF)
      case 0xE0: (length, second) = (3, 0xA0...0xBF)
      case 0xE1...0xEC, 0xEE...0xEF: (length, second) = (3, 0x80...0xBF)
      case 0xED: (length, second) = (3, 0x80...0x9F)
      case 0xF0: (length, second) = (4, 0x90...0xBF)
      case 0xF1...0xF3: (length, second) = (4, 0x80...0xBF)
      case 0xF4: (length, second) = (4, 0x80...0x8F)
      default: throw JSONError(.invalidUTF8, offset: offset)
      }
      for index in 1..<length {
        guard offset &+ index < end else { throw JSONError(.unexpectedEnd, offset: end) }
        let byte = bytes[offset &+ index]
        guard index == 1 ? second.contains(byte) : byte & 0xC0 == 0x80 else {
          throw JSONError(.invalidUTF8, offset: offset)
        }
      }
      offset &+= length
    }
  }
}

/// The hexadecimal digits of `\u` escapes.
enum HexDigit {
  static func value(of byte: UInt8) -> UInt16? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt16(byte &- UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt16(byte &- UInt8(ascii: "a") &+ 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt16(byte &- UInt8(ascii: "A") &+ 10)
    default: nil
    }
  }

  static func character(of value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") &+ value : UInt8(ascii: "a") &+ value &- 10
  }
}
