/// JSON as RFC 8259 tells it, read by recursion and into a tree: slow, and easy to hold beside the grammar.
///
/// It shares no line with what is tried against it.
indirect enum ReferenceJSON {
  case null
  case bool(Bool)
  case number([UInt8])
  /// Code units, since half of a surrogate pair is allowed (section 8.2).
  case string([UInt16])
  case array([ReferenceJSON])
  /// As written: equal keys may occur.
  case object([(key: [UInt16], value: ReferenceJSON)])

  /// nil where the bytes are no JSON text, or nest deeper than this many arrays and objects.
  init?(_ bytes: some Collection<UInt8>, depth: Int = 128) {
    var reader = ReferenceReader(bytes: Array(bytes), depth: depth)
    guard let tree = reader.text() else { return nil }
    self = tree
  }

  /// The members of an object; of equal keys the last, where the first of them stood.
  var members: [(key: [UInt16], value: ReferenceJSON)]? {
    guard case .object(let written) = self else { return nil }
    var members: [(key: [UInt16], value: ReferenceJSON)] = []
    for member in written {
      if let place = members.firstIndex(where: { $0.key == member.key }) {
        members[place] = member
      } else {
        members.append(member)
      }
    }
    return members
  }

  func member(_ name: String) -> ReferenceJSON? { members?.first { $0.key == Array(name.utf16) }?.value }

  var depth: Int {
    switch self {
    case .array(let elements): 1 + (elements.map(\.depth).max() ?? 0)
    case .object(let members): 1 + (members.map(\.value.depth).max() ?? 0)
    default: 0
    }
  }

  /// Whether two are the same value: numbers by value, objects whatever the order. nil: a number is too large to tell here.
  func isSame(as other: ReferenceJSON) -> Bool? {
    switch (self, other) {
    case (.null, .null): return true
    case (.bool(let a), .bool(let b)): return a == b
    case (.string(let a), .string(let b)): return a == b
    case (.number(let a), .number(let b)):
      guard let a = ReferenceNumber(a), let b = ReferenceNumber(b) else { return nil }
      return a == b
    case (.array(let a), .array(let b)):
      guard a.count == b.count else { return false }
      return Self.all(zip(a, b).map { $0.isSame(as: $1) })
    case (.object, .object):
      let (a, b) = (members ?? [], other.members ?? [])
      guard a.count == b.count else { return false }
      return Self.all(
        a.map { member in
          guard let value = b.first(where: { $0.key == member.key })?.value else { return false }
          return member.value.isSame(as: value)
        })
    default: return false
    }
  }

  private static func all(_ parts: [Bool?]) -> Bool? {
    if parts.contains(false) { return false }
    return parts.contains(nil) ? nil : true
  }
}

/// A number by its value: 0.digits × 10^exponent, no digit 0 at either end.
struct ReferenceNumber: Equatable {
  private var isNegative: Bool
  private var digits: [UInt8]
  private var exponent: Int

  /// nil where the exponent is beyond what an integer may be trusted with.
  init?(_ token: [UInt8]) {
    let text = String(decoding: token, as: UTF8.self)
    let sides = text.lowercased().split(separator: "e", omittingEmptySubsequences: false)
    let decimal = sides[0].drop { $0 == "-" }.split(separator: ".", omittingEmptySubsequences: false)
    let written = sides.count == 2 ? sides[1].drop { $0 == "+" || $0 == "-" }.drop { $0 == "0" } : ""
    guard written.count <= 15 else { return nil }
    let magnitude = Int(written) ?? 0
    digits = Array(decimal.joined().utf8)
    exponent = (sides.count == 2 && sides[1].hasPrefix("-") ? -magnitude : magnitude) + decimal[0].count
    isNegative = text.hasPrefix("-")
    while digits.first == 0x30 {
      digits.removeFirst()
      exponent -= 1
    }
    while digits.last == 0x30 { digits.removeLast() }
    if digits.isEmpty { (isNegative, exponent) = (false, 0) }
  }

  static func < (a: Self, b: Self) -> Bool {
    func key(_ number: Self) -> (Int, Int) {
      if number.digits.isEmpty { return (0, 0) }
      return number.isNegative ? (-1, -number.exponent) : (1, number.exponent)
    }
    let (first, second) = (key(a), key(b))
    if first != second { return first < second }
    return a.isNegative
      ? b.digits.lexicographicallyPrecedes(a.digits) : a.digits.lexicographicallyPrecedes(b.digits)
  }
}

private struct ReferenceReader {
  let bytes: [UInt8]
  let depth: Int
  private var place = 0

  init(bytes: [UInt8], depth: Int) {
    self.bytes = bytes
    self.depth = depth
  }

  private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

  private mutating func take(_ text: String) -> Bool {
    guard bytes[place...].starts(with: text.utf8) else { return false }
    place += text.utf8.count
    return true
  }

  private mutating func space() { while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { place += 1 } }

  mutating func text() -> ReferenceJSON? {
    space()
    guard let value = value(open: 0) else { return nil }
    space()
    return place == bytes.count ? value : nil
  }

  private mutating func value(open: Int) -> ReferenceJSON? {
    if take("null") { return .null }
    if take("true") { return .bool(true) }
    if take("false") { return .bool(false) }
    if next == UInt8(ascii: "\"") { return string().map { .string($0) } }
    if take("[") {
      guard open < depth else { return nil }
      return array(open: open + 1)
    }
    if take("{") {
      guard open < depth else { return nil }
      return object(open: open + 1)
    }
    return number()
  }

  private mutating func array(open: Int) -> ReferenceJSON? {
    var elements: [ReferenceJSON] = []
    space()
    if take("]") { return .array([]) }
    while true {
      space()
      guard let element = value(open: open) else { return nil }
      elements.append(element)
      space()
      if take("]") { return .array(elements) }
      guard take(",") else { return nil }
    }
  }

  private mutating func object(open: Int) -> ReferenceJSON? {
    var members: [(key: [UInt16], value: ReferenceJSON)] = []
    space()
    if take("}") { return .object([]) }
    while true {
      space()
      guard let key = string() else { return nil }
      space()
      guard take(":") else { return nil }
      space()
      guard let value = value(open: open) else { return nil }
      members.append((key, value))
      space()
      if take("}") { return .object(members) }
      guard take(",") else { return nil }
    }
  }

  private mutating func digits() -> Bool {
    let start = place
    while let byte = next, (0x30...0x39).contains(byte) { place += 1 }
    return place > start
  }

  private mutating func number() -> ReferenceJSON? {
    let start = place
    _ = take("-")
    if !take("0") { guard digits() else { return nil } }
    if take(".") { guard digits() else { return nil } }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      guard digits() else { return nil }
    }
    return .number(Array(bytes[start..<place]))
  }

  private mutating func string() -> [UInt16]? {
    guard take("\"") else { return nil }
    var units: [UInt16] = []
    var plain: [UInt8] = []
    /// What stands for itself must be UTF-8.
    func flush() -> Bool {
      guard let text = String(validating: plain, as: UTF8.self) else { return false }
      units += text.utf16
      plain = []
      return true
    }
    while let byte = next {
      place += 1
      switch byte {
      case UInt8(ascii: "\""): return flush() ? units : nil
      case ..<0x20: return nil
      case UInt8(ascii: "\\"):
        guard flush(), let escape = next else { return nil }
        place += 1
        switch escape {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): units.append(UInt16(escape))
        case UInt8(ascii: "b"): units.append(8)
        case UInt8(ascii: "f"): units.append(12)
        case UInt8(ascii: "n"): units.append(10)
        case UInt8(ascii: "r"): units.append(13)
        case UInt8(ascii: "t"): units.append(9)
        case UInt8(ascii: "u"):
          let four = bytes[place...].prefix(4)
          let isHexadecimal = four.allSatisfy { Character(UnicodeScalar($0)).isHexDigit }
          guard four.count == 4, isHexadecimal, let unit = UInt16(String(decoding: four, as: UTF8.self), radix: 16)
          else { return nil }
          units.append(unit)
          place += 4
        default: return nil
        }
      default: plain.append(byte)
      }
    }
    return nil
  }
}
