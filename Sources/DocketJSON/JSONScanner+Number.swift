extension JSONScanner {
  /// Skips one number, whose sign or first digit is at `offset`.
  mutating func skipNumber() throws(JSONError) {
    if next == UInt8(ascii: "-") { offset &+= 1 }
    if next == UInt8(ascii: "0") {
      offset &+= 1
      // A leading zero: the number cannot have ended if a digit follows.
      if let next, Self.isDigit(next) { throw JSONError(.invalidNumber, offset: offset) }
    } else {
      try skipDigits()
    }
    if next == UInt8(ascii: ".") {
      offset &+= 1
      try skipDigits()
    }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      offset &+= 1
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { offset &+= 1 }
      try skipDigits()
    }
  }

  /// Skips one digit or more.
  private mutating func skipDigits() throws(JSONError) {
    let start = offset
    while offset < end, Self.isDigit(bytes[offset]) { offset &+= 1 }
    guard offset > start else {
      throw JSONError(offset < end ? .invalidNumber : .unexpectedEnd, offset: offset)
    }
  }

  static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }
}
