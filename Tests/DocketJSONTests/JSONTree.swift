/// A JSON value as a tree, which tests make at random and write in many ways.
indirect enum JSONTree {
  case null
  case bool(Bool)
  case number(DecimalNumber)
  /// Code units, since a string may hold half of a surrogate pair.
  case string([UInt16])
  case array([JSONTree])
  /// Keys are distinct.
  case object([(key: [UInt16], value: JSONTree)])

  /// 0.digits × 10^exponent; neither the first nor the last digit is 0. No digits are zero.
  struct DecimalNumber {
    var isNegative: Bool
    var digits: [UInt8]
    var exponent: Int
  }

  static func random(depth: Int, using random: inout SeededGenerator) -> JSONTree {
    switch Int.random(in: 0..<(depth > 0 ? 10 : 5), using: &random) {
    case 0: return .null
    case 1: return .bool(Bool.random(using: &random))
    case 2: return .number(.random(using: &random))
    case 3, 4: return .string(randomUnits(using: &random))
    case 5, 6:
      return .array((0..<Int.random(in: 0...4, using: &random)).map { _ in .random(depth: depth - 1, using: &random) })
    default: return .randomObject(depth: depth, using: &random)
    }
  }

  /// An object with keys from so small a set that two objects share some.
  static func randomObject(depth: Int, using random: inout SeededGenerator) -> JSONTree {
    let keys = ["", "a", "b", "c", "é", "\"\\\n", "😀"].shuffled(using: &random)
    let members = keys.prefix(Int.random(in: 0...5, using: &random))
      .map { (key: Array($0.utf16), value: JSONTree.random(depth: depth - 1, using: &random)) }
    return .object(members)
  }

  static func randomUnits(using random: inout SeededGenerator) -> [UInt16] {
    let units: [UInt16] = [0, 9, 10, 0x22, 0x5C, 0x2F, 0x61, 0x62, 0x7F, 0xE9, 0x20AC, 0xD83D, 0xDE00, 0xFFFF]
    return (0..<Int.random(in: 0...12, using: &random)).map { _ in units.randomElement(using: &random) ?? 0 }
  }
}

extension JSONTree.DecimalNumber {
  static func random(using random: inout SeededGenerator) -> Self {
    var digits = (0..<Int.random(in: 0...20, using: &random)).map { _ in UInt8.random(in: 0...9, using: &random) }
    while digits.first == 0 { digits.removeFirst() }
    while digits.last == 0 { digits.removeLast() }
    let bound = [1, 20, 400, 1 << 40].randomElement(using: &random) ?? 1
    return Self(
      isNegative: Bool.random(using: &random), digits: digits, exponent: Int.random(in: -bound...bound, using: &random))
  }
}
