import DocketJSON
import Testing

@Suite("Equality of JSON values")
struct JSONEqualityTests {
  @Test(
    "these pairs are the same value",
    arguments: [
      ("1", "1.0"), ("1", "1e0"), ("1", "10e-1"), ("1", "0.1E+1"), ("1", "0.001e3"), ("100", "1e2"), ("-0", "0"),
      ("0", "-0.00e-7"), ("0", "0e99999999999999999999999"), ("12.50", "1.25e1"), ("1e400", "10e399"),
      ("123456789012345678901234567890", "1.2345678901234567890123456789e29"),
      ("1e999999999999999999999", "10e999999999999999999998"),
      ("1e-1000000000000000000000", "10e-1000000000000000000001"),
      ("0.001e1000000000000000000000", "1e999999999999999999997"), ("1e0000000000000000000001", "10"),
      ("1e1000000000000000000", "0.1e1000000000000000001"), ("10e99999999999999999", "1e100000000000000000"),
      ("\"a\"", #""\u0061""#), (#""\/""#, "\"/\""), ("\"😀\"", #""\ud83d\uDE00""#), (#""\n""#, #""\u000a""#),
      (#""\ud800""#, #""\uD800""#), ("[]", "[ ]"), ("[1, 2]", "[1e0,2.0]"), ("{}", "{ }"),
      (#"{"a":1,"b":2}"#, #"{"b":2,"a":1}"#), (#"{"a":1,"a":2}"#, #"{"a":2}"#), (#"{"a":1,"\u0061":2}"#, #"{"a":2}"#),
      (#"{"a":{"b":[1,{"c":null}]}}"#, #" { "a" : { "b" : [ 1.0, { "c" : null } ] } } "#), ("true", " true "),
    ])
  func same(a: String, b: String) {
    #expect(JSONEquality.same(a, b))
    #expect(JSONEquality.same(b, a))
  }

  @Test(
    "these pairs are two values",
    arguments: [
      ("1", "-1"), ("1", "1.0000000000000000000000000000001"), ("1e400", "1e401"), ("1e-400", "0"),
      ("9007199254740993", "9007199254740992"), ("0.1", "0.10000000000000000555"), ("12", "21"), ("1", "10"),
      ("1e999999999999999999999", "1e999999999999999999998"), ("1e999999999999999999999", "1e-999999999999999999999"),
      ("1e9223372036854775807", "1e-9223372036854775807"), ("1e18446744073709551617", "10"), ("1", "\"1\""),
      ("0", "null"),
      ("0", "false"), ("null", "false"), ("true", "false"), ("\"a\"", "\"A\""), ("\"a\"", "\"aa\""), ("\"\"", "null"),
      ("\"é\"", "\"e\u{301}\""), (#""\ud800""#, #""\udc00""#), (#""\ud800""#, "\"\u{FFFD}\""), ("[]", "{}"),
      ("[]", "null"),
      ("[1,2]", "[2,1]"), ("[1]", "[1,1]"), ("[[]]", "[]"), (#"{"a":1}"#, #"{"a":2}"#), (#"{"a":1}"#, #"{"b":1}"#),
      (#"{"a":1}"#, #"{"a":1,"b":1}"#), (#"{"a":null}"#, "{}"), (#"{"a":1,"a":2}"#, #"{"a":1}"#),
      (#"{"é":1}"#, "{\"e\u{301}\":1}"),
    ])
  func different(a: String, b: String) {
    #expect(!JSONEquality.same(a, b))
    #expect(!JSONEquality.same(b, a))
  }

  @Test("a value written in another way is the same; one thing changed makes it another")
  func random() {
    var random = SeededGenerator(for: "equality")
    for _ in 0..<1_000 {
      let tree = JSONTree.random(depth: 4, using: &random)
      let plain = JSONTreeWriter.plain(tree)
      let varied = JSONTreeWriter.varied(tree, using: &random)
      #expect(JSONEquality.same(plain, varied), "\(plain) ≠ \(varied)")
      let changed = JSONTreeWriter.varied(tree.changed(using: &random), using: &random)
      #expect(!JSONEquality.same(plain, changed), "\(plain) = \(changed)")
    }
  }

  @Test("100,000 members in the opposite order are compared, as are values 128 deep and numbers of a million digits")
  func large() {
    let keys = Array(0..<100_000)
    let a = "{" + keys.map { "\"k\($0)\":\($0)" }.joined(separator: ",") + "}"
    let b = "{" + keys.reversed().map { "\"\\u006b\($0)\":\($0).0" }.joined(separator: ",") + "}"
    #expect(JSONEquality.same(a, b))

    func nested(_ inner: String) -> String {
      String(repeating: #"{"a":["#, count: 64) + inner + String(repeating: "]}", count: 64)
    }
    #expect(JSONEquality.same(nested("1"), nested("1.0")))
    #expect(!JSONEquality.same(nested("1"), nested("2")))

    let zeros = String(repeating: "0", count: 1_000_000)
    #expect(JSONEquality.same("1" + zeros, "1e1000000"))
    #expect(!JSONEquality.same("1e1" + zeros, "1e1" + zeros + "0"))
    #expect(JSONEquality.same("1e1" + zeros, "0.1e1" + zeros.dropLast() + "1"))
  }
}

extension JSONEquality {
  fileprivate static func same(_ a: String, _ b: String) -> Bool {
    Array(a.utf8).withUnsafeBytes { a in Array(b.utf8).withUnsafeBytes { b in same(a, b) } }
  }
}

extension JSONTree {
  /// Another value, which differs in one place.
  fileprivate func changed(using random: inout SeededGenerator) -> JSONTree {
    switch self {
    case .null: return .bool(false)
    case .bool(let value): return .bool(!value)
    case .number(var number):
      number.digits.append(UInt8.random(in: 1...9, using: &random))
      return .number(number)
    case .string(var units):
      units.insert(UInt16(ascii: "z"), at: random.choose(units.count + 1))
      return .string(units)
    case .array(var elements):
      guard !elements.isEmpty, random.choose(3) > 0 else { return .array(elements + [.null]) }
      let index = random.choose(elements.count)
      if random.choose(3) == 0 {
        elements.remove(at: index)
      } else {
        elements[index] = elements[index].changed(using: &random)
      }
      return .array(elements)
    case .object(var members):
      guard !members.isEmpty, random.choose(3) > 0 else { return .object(members + [(Array("new".utf16), .null)]) }
      let index = random.choose(members.count)
      switch random.choose(4) {
      case 0: members.remove(at: index)
      case 1: members[index].key.append(UInt16(ascii: "z"))
      default: members[index].value = members[index].value.changed(using: &random)
      }
      return .object(members)
    }
  }
}

extension UInt16 {
  fileprivate init(ascii: UnicodeScalar) { self = UInt16(UInt8(ascii: ascii)) }
}
