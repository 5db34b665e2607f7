/// A JSON value and what a reader of RFC 8259 knows of it without any of this project's code.
public struct SampleValue: Sendable {
  indirect enum Meaning: Sendable {
    case null
    case `false`
    case `true`
    /// Numbers of the samples by their place in the order of values.
    case number(Int)
    /// Code points, half of a surrogate pair among them.
    case string([UInt32])
    case array([SampleValue])
    /// Objects with the same identity are equal. Members by their keys, without those whose keys are written with an
    /// escape for an ASCII character.
    case object(identity: Int, members: [(key: String, value: SampleValue)])
  }

  public let text: String
  let meaning: Meaning

  static let scalars: [SampleValue] =
    [SampleValue(text: "null", meaning: .null), SampleValue(text: "false", meaning: .false)]
    + [SampleValue(text: "true", meaning: .true)] + numbers + strings

  /// Rising, those in one row equal.
  private static let numbers: [SampleValue] = [
    ["-1e99999999999999999999"], ["-1e400", "-10E399"], ["-9007199254740993"], ["-1.5", "-15e-1"], ["-1"],
    ["-1e-400"], ["0", "-0", "0.0", "0e7"], ["1e-400"], ["0.1", "1e-1"], ["1", "1.0", "10e-1", "0.1e1"], ["2"],
    ["10", "1e1"], ["9007199254740992", "9007199254740992.0"], ["9007199254740993", "9007199254740993.0"],
    ["9223372036854775807"], ["9223372036854775808"], ["1e20", "100000000000000000000"], ["1e400", "0.1e401"],
    ["1.0000000000000000000001e400"], ["1e99999999999999999999", "10e99999999999999999998"],
  ].enumerated().flatMap { place, texts in texts.map { SampleValue(text: $0, meaning: .number(place)) } }

  private static let strings: [SampleValue] = [
    (#""""#, []), (#""\u0000""#, [0]), (#""A""#, [0x41]), (#""a""#, [0x61]), (#""\u0061""#, [0x61]),
    (#""a\u0000""#, [0x61, 0]), (#""a\u0000b""#, [0x61, 0, 0x62]), (#""ab""#, [0x61, 0x62]), (#""b""#, [0x62]),
    (#""1""#, [0x31]), (#""null""#, [0x6E, 0x75, 0x6C, 0x6C]), (#""e\u0301""#, [0x65, 0x301]), (#""é""#, [0xE9]),
    (#""\u00e9""#, [0xE9]), (#""\ud800""#, [0xD800]), (#""\ud800a""#, [0xD800, 0x61]), (#""\uffff""#, [0xFFFF]),
    (#""😀""#, [0x1F600]), (#""\ud83d\ude00""#, [0x1F600]), (#""'\"%_*\\""#, [0x27, 0x22, 0x25, 0x5F, 0x2A, 0x5C]),
    (#""[1]""#, [0x5B, 0x31, 0x5D]),
  ].map { SampleValue(text: $0, meaning: .string($1)) }

  /// Two writings of one object, and others.
  static let objects: [SampleValue] = {
    let one = SampleValue(text: "1", meaning: .number(9))
    let none = SampleValue(text: "[]", meaning: .array([]))
    return [
      SampleValue(text: #"{"b":1,"c":[]}"#, meaning: .object(identity: 1, members: [("b", one), ("c", none)])),
      SampleValue(text: #"{ "c": [ ], "b": 1.0 }"#, meaning: .object(identity: 1, members: [("c", none), ("b", one)])),
      SampleValue(text: #"{"b":1}"#, meaning: .object(identity: 2, members: [("b", one)])),
      SampleValue(text: "{}", meaning: .object(identity: 3, members: [])),
    ]
  }()

  static func array(_ elements: [SampleValue], separator: String) -> SampleValue {
    SampleValue(
      text: "[" + elements.map(\.text).joined(separator: separator) + "]", meaning: .array(elements))
  }

  /// What stands at a dotted path; of equal keys the first counts.
  subscript(path: String) -> SampleValue? {
    var found = self
    for segment in path.split(separator: ".") {
      switch found.meaning {
      case .array(let elements):
        guard let index = Int(segment), String(index) == segment, elements.indices.contains(index) else { return nil }
        found = elements[index]
      case .object(_, let members):
        guard let member = members.first(where: { Array($0.key.utf8) == Array(segment.utf8) }) else { return nil }
        found = member.value
      default: return nil
      }
    }
    return found
  }

  func isSame(as other: SampleValue) -> Bool {
    switch (meaning, other.meaning) {
    case (.null, .null), (.false, .false), (.true, .true): true
    case (.number(let a), .number(let b)): a == b
    case (.string(let a), .string(let b)): a == b
    case (.array(let a), .array(let b)): a.count == b.count && zip(a, b).allSatisfy { $0.isSame(as: $1) }
    case (.object(let a, _), .object(let b, _)): a == b
    default: false
    }
  }

  /// The kind's place in the order: that of null is 1, nothing is before it but what is missing; arrays and objects have one.
  var kind: Int {
    switch meaning {
    case .null: 1
    case .false: 2
    case .true: 3
    case .number: 4
    case .string: 5
    case .array, .object: 6
    }
  }

  /// Whether it is before another in the order of values.
  static func isBefore(_ a: SampleValue?, _ b: SampleValue?) -> Bool {
    switch (a?.meaning, b?.meaning) {
    case (.number(let a), .number(let b)): a < b
    case (.string(let a), .string(let b)): a.lexicographicallyPrecedes(b)
    default: (a?.kind ?? 0) < (b?.kind ?? 0)
    }
  }
}
