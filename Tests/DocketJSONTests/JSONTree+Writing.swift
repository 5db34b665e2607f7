/// Writes a tree as JSON text: plainly, or in one of the many ways that mean the same.
struct JSONTreeWriter {
  private(set) var text = ""
  private var random: SeededGenerator?

  static func plain(_ tree: JSONTree) -> String {
    var writer = JSONTreeWriter()
    writer.write(tree)
    return writer.text
  }

  /// With white space, escapes, other forms of numbers, members in another order and members that a later one overrides.
  static func varied(_ tree: JSONTree, using random: inout SeededGenerator) -> String {
    var writer = JSONTreeWriter()
    writer.random = random
    writer.space()
    writer.write(tree)
    writer.space()
    random = writer.random ?? random
    return writer.text
  }

  private mutating func choose(_ bound: Int) -> Int { random?.choose(bound) ?? 0 }

  private mutating func space() {
    for _ in 0..<choose(3) { text += [" ", "\n", "\t", "\r"][choose(4)] }
  }

  private mutating func write(_ tree: JSONTree) {
    switch tree {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .number(let number): write(number)
    case .string(let units): write(units)
    case .array(let elements):
      text += "["
      space()
      for (index, element) in elements.enumerated() {
        if index > 0 { separate(",") }
        write(element)
      }
      space()
      text += "]"
    case .object(let members):
      text += "{"
      space()
      for (index, (key, value)) in order(members).enumerated() {
        if index > 0 { separate(",") }
        write(key)
        separate(":")
        write(value)
      }
      space()
      text += "}"
    }
  }

  private mutating func order(
    _ members: [(key: [UInt16], value: JSONTree)]
  ) -> [(key: [UInt16], value: JSONTree)] {
    guard var random else { return members }
    var result = members.shuffled(using: &random)
    if let overridden = result.randomElement(using: &random), random.choose(3) == 0 {
      result.insert((overridden.key, .random(depth: 1, using: &random)), at: 0)
    }
    self.random = random
    return result
  }

  private mutating func separate(_ mark: String) {
    space()
    text += mark
    space()
  }

  private mutating func write(_ number: JSONTree.DecimalNumber) {
    let digits = number.digits.map { String($0) }.joined()
    if number.isNegative { text += "-" }
    guard !digits.isEmpty else {
      text += ["0", "0.0", "0e5", "0E-99999999999999999999", "0.000e+1"][choose(5)]
      return
    }
    let point = choose(digits.count + 4)
    let padded = digits + String(repeating: "0", count: max(0, point - digits.count))
    let fraction = padded.dropFirst(point) + String(repeating: "0", count: choose(3))
    text += point == 0 ? "0" : String(padded.prefix(point))
    if !fraction.isEmpty { text += "." + fraction }
    let exponent = number.exponent - point
    guard exponent != 0 || choose(2) == 1 else { return }
    text += choose(2) == 0 ? "e" : "E"
    text += exponent < 0 ? "-" : choose(2) == 0 ? "" : "+"
    text += String(repeating: "0", count: choose(3)) + String(exponent.magnitude)
  }

  private mutating func write(_ units: [UInt16]) {
    text += "\""
    var index = 0
    while index < units.count {
      let unit = units[index]
      let isPair =
        unit & 0xFC00 == 0xD800 && index + 1 < units.count && units[index + 1] & 0xFC00 == 0xDC00
      if isPair, choose(2) == 0 {
        text += String(decoding: units[index...index + 1], as: UTF16.self)
      } else {
        writeUnit(unit)
        if isPair { writeUnit(units[index + 1], escaped: true) }
      }
      index += isPair ? 2 : 1
    }
    text += "\""
  }

  private mutating func writeUnit(_ unit: UInt16, escaped: Bool = false) {
    let short: [UInt16: String] = [8: "b", 9: "t", 10: "n", 12: "f", 13: "r", 0x22: "\"", 0x5C: "\\", 0x2F: "/"]
    let mustEscape = escaped || unit < 0x20 || unit == 0x22 || unit == 0x5C || unit & 0xF800 == 0xD800
    if !mustEscape, choose(3) < 2, let scalar = UnicodeScalar(unit) {
      text.unicodeScalars.append(scalar)
    } else if !escaped, let letter = short[unit], choose(2) == 0 {
      text += "\\" + letter
    } else {
      let digits = String(unit, radix: 16, uppercase: choose(2) == 0)
      text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
  }
}

extension SeededGenerator {
  /// A number from 0 up to and without `bound`.
  mutating func choose(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
}
