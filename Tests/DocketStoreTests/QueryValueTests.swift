import DocketJSON
import DocketTestSupport
import NIOCore
import Testing

@testable import DocketStore

@Suite("Values of queries")
struct QueryValueTests {
  private func value(_ text: String) -> QueryValue { Array(text.utf8).withUnsafeBytes { QueryValue(token: $0) } }

  /// Rising; those of a row are equal.
  static let order: [[String]] = [
    ["null"], ["false"], ["true"], ["-1e400"], ["-2", "-2.0"], ["0", "-0", "0e9"], ["1", "1.0", "10e-1", " 1 "],
    ["9007199254740992"], ["9007199254740993", "9007199254740993.0"], ["1e400"], [#""""#], [#""\u0000""#],
    [#""a""#, #""\u0061""#], [#""a\u0000""#], ["\"e\u{301}\""], [#""é""#, #""\u00E9""#], [#""\ud7ff""#], [#""\ud800""#],
    [#""\uffff""#], [#""\ud83d\ude00""#, #""😀""#],
  ]

  @Test("are in the order of their kinds, numbers by their value, strings by code points")
  func rising() {
    let rows = [[QueryValue.missing]] + Self.order.map { $0.map(value) } + [[value("[]"), value("{}"), value("[1]")]]
    for (number, row) in rows.enumerated() {
      for (otherNumber, other) in rows.enumerated() {
        for (a, b) in row.flatMap({ a in other.map { (a, $0) } }) {
          #expect(a.order(to: b) == (number - otherNumber).signum(), "\(a) and \(b)")
          if number != otherNumber { #expect(!a.isSame(as: b)) }
        }
      }
    }
  }

  @Test(
    "hold others",
    arguments: [
      ("abcabd", "abd", true), ("abcabd", "", true), ("", "a", false), ("ab", "abc", false), ("aab", "ab", true),
      ("é", "\u{301}", false),
    ])
  func holding(text: String, piece: String, isHeld: Bool) {
    #expect(Filter.Test.contains(.string(Array(piece.utf8))).holds(for: .string(Array(text.utf8))) == isHeld)
  }

  /// A second, or hours where each takes a time that grows with the product of the two.
  @Test("hold long ones or not in a time that grows with the two together", .timeLimit(.minutes(20)))
  func holdingLong() {
    let long = QueryValue.string(Array(repeating: 0x61, count: 1 << 20))
    let wanted = QueryValue.string(Array(repeating: 0x61, count: 1 << 19) + [0x62])
    for _ in 0..<200 { #expect(!Filter.Test.contains(wanted).holds(for: long)) }
  }

  @Test("are the same as JSON values are: arrays and objects too")
  func same() {
    #expect(value(#"{"a": [1, "x"], "b": null}"#).isSame(as: value(#"{"b":null,"a":[1.0,"\u0078"]}"#)))
    #expect(!value("[1]").isSame(as: value("[2]")))
    #expect(!value("[]").isSame(as: value("{}")))
  }

  @Test(
    "are found where they stand, the first of equal keys, and under no key with an ASCII escape",
    arguments: [
      (#"{"a": 1}"#, "a", "1"), (#"{"a": 1, "a": 2}"#, "a", "1"),
      (#"{"a": {"b": [0, {"c": "x"}]}}"#, "a.b.1.c", #""x""#),
      (#"{"a": null}"#, "a", "null"), (#"{"a": 1}"#, "b", nil), (#"{"a": 1}"#, "a.b", nil),
      (#"{"\u0061": 1}"#, "a", nil),
      (#"{"\u0061": 1, "a": 2}"#, "a", "2"), (#"{"\u00e9": 1}"#, "é", "1"), (#"{"é": 1}"#, "e\u{301}", nil),
      (#"{"\ud83d\ude00": 1}"#, "😀", "1"), (#"[5, 6]"#, "1", "6"), ("[5]", "1", nil), ("[5]", "01", nil),
      ("[5]", "-0", nil), (#"{"0": 7}"#, "0", "7"), ("7", "0", nil), (" { \"a\" : [ 1 ] } ", "a", "[ 1 ]"),
    ])
  func found(document: String, path: String, text: String?) {
    let path = FieldPath(unchecked: path.split(separator: ".").map(String.init))
    let found = Array(document.utf8).withUnsafeBytes { bytes in
      path.range(in: bytes).map { String(decoding: UnsafeRawBufferPointer(rebasing: bytes[$0]), as: UTF8.self) }
    }
    #expect(found == text)
  }
}
