/// Is told, in the order of the text, what `walkValue` finds. What it is told has been checked up to there and no further.
protocol JSONVisitor {
  /// A string, number, true, false or null.
  mutating func scalar(_ token: JSONScanner.StringToken)
  mutating func key(_ token: JSONScanner.StringToken)
  /// An array or an object begins at `offset`.
  mutating func open(at offset: Int)
  /// The innermost container that is open ended before `offset`.
  mutating func close(before offset: Int)
}

/// Has no interest in what the text holds.
///
/// An empty value has no address of its own, and ThreadSanitizer would take what stands there for it. So it is not empty; the
/// compiler takes that out again.
struct JSONSkipper: JSONVisitor {
  private let place: UInt8 = 0

  func scalar(_ token: JSONScanner.StringToken) {}
  func key(_ token: JSONScanner.StringToken) {}
  func open(at offset: Int) {}
  func close(before offset: Int) {}
}

extension JSONScanner {
  /// Walks through one value, which begins at `offset` (no white space before it).
  ///
  /// It is a loop and not a recursion, so what a text can make it use is known: 128 bits for the kinds of the open containers.
  /// It is compiled into each caller, which makes a visitor that does nothing cost nothing.
  @inline(__always)
  mutating func walkValue(depth: Int, visitor: inout some JSONVisitor) throws(JSONError) {
    // The innermost container is in the lowest bit; a set bit is an object.
    var kinds: UInt128 = 0
    var open = depth
    while true {
      guard offset < end else { throw unexpected() }
      let byte = bytes[offset]
      switch byte {
      case UInt8(ascii: "\""):
        visitor.scalar(try skipString())
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        open &+= 1
        guard open <= maximumDepth else { throw JSONError(.tooDeep(limit: maximumDepth), offset: offset) }
        visitor.open(at: offset)
        offset &+= 1
        skipWhitespace()
        // The closing brackets lie two behind the opening ones in ASCII.
        if next == byte &+ 2 {
          offset &+= 1
          open &-= 1
          visitor.close(before: offset)
          break
        }
        let isObject = byte == UInt8(ascii: "{")
        kinds = kinds &<< 1 | (isObject ? 1 : 0)
        if isObject { visitor.key(try skipKey()) }
        continue
      default:
        let start = offset
        try skipNumberOrLiteral()
        visitor.scalar(StringToken(range: start..<offset, hasEscapes: false))
      }

      // A value has ended: on to the next one, or out of as many containers as end here.
      while true {
        guard open > depth else { return }
        let isObject = kinds & 1 == 1
        if try skipSeparator(closing: isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
          if isObject { visitor.key(try skipKey()) }
          break
        }
        kinds &>>= 1
        open &-= 1
        visitor.close(before: offset)
      }
    }
  }

  private mutating func skipNumberOrLiteral() throws(JSONError) {
    switch bytes[offset] {
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try skipNumber()
    case UInt8(ascii: "t"): try skipLiteral("true")
    case UInt8(ascii: "f"): try skipLiteral("false")
    case UInt8(ascii: "n"): try skipLiteral("null")
    default: throw unexpected()
    }
  }

  private mutating func skipLiteral(_ literal: StaticString) throws(JSONError) {
    for index in 0..<literal.utf8CodeUnitCount {
      guard next == literal.utf8Start[index] else { throw unexpected() }
      offset &+= 1
    }
  }
}
