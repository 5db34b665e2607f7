import DocketJSON
import Testing

@Suite("Decimals")
struct JSONDecimalTests {
  private func decimal(_ token: String) -> JSONDecimal { Array(token.utf8).withUnsafeBytes { JSONDecimal($0) } }

  private static let huge = "1" + String(repeating: "0", count: 30)

  /// Rising; those of a row are equal.
  static let order: [[String]] = [
    ["-1e\(huge)", "-10e0999999999999999999999999999999"], ["-1e99999999999999999999"], ["-1E400", "-0.1e401"],
    ["-9007199254740993"], ["-9007199254740992.0"], ["-1.5", "-15e-1"], ["-1"], ["-1e-99999999999999999999"],
    ["-1e-\(huge)"], ["0", "-0", "0.000", "0e\(huge)", "-0e-\(huge)"], ["1e-\(huge)"], ["2e-\(huge)"],
    ["1e-99999999999999999999", "0.1e-99999999999999999998", "10e-100000000000000000000"], ["1e-400"], ["0.1", "1e-1"],
    ["0.10000000000000000000000001"], ["1", "1.0", "10e-1", "0.01e2", "1e0", "1E+0", "100e-2"], ["999999999999999999"],
    ["1000000000000000000", "1e18"], ["9223372036854775807"], ["9223372036854775808", "9.223372036854775808e+18"],
    ["1e400"], ["1.0000000000000000000000000001e400"], ["1e99999999999999999999", "100e99999999999999999997"],
    ["1e\(huge)"],
  ]

  @Test("compare by their value, however large their exponents are")
  func rising() {
    for (number, row) in Self.order.enumerated() {
      for (otherNumber, other) in Self.order.enumerated() {
        for (a, b) in row.flatMap({ a in other.map { (a, $0) } }) {
          #expect((decimal(a) < decimal(b)) == (number < otherNumber), "\(a) < \(b)")
          #expect((decimal(a) == decimal(b)) == (number == otherNumber), "\(a) == \(b)")
        }
      }
    }
  }

  @Test("compare as the integers that they are hundredths of, in every writing")
  func random() {
    var generator = SeededGenerator(for: "decimals")
    func writing(of hundredths: Int64) -> String {
      switch Int.random(in: 0..<4, using: &generator) {
      case 0: return "\(hundredths)e-2"
      case 1: return "\(hundredths)000E-0005"
      case 2 where hundredths % 100 == 0: return "\(hundredths / 100)"
      default:
        let digits = String(hundredths.magnitude)
        let padded = String(repeating: "0", count: max(0, 3 - digits.count)) + digits
        return (hundredths < 0 ? "-" : "") + padded.dropLast(2) + "." + padded.suffix(2)
      }
    }
    for _ in 0..<20_000 {
      let bound = [10, 1_000, 1_000_000_000_000_000].randomElement(using: &generator) ?? 10
      let a = Int64.random(in: -Int64(bound)...Int64(bound), using: &generator)
      let b = Int64.random(in: -Int64(bound)...Int64(bound), using: &generator)
      let (first, second) = (writing(of: a), writing(of: b))
      #expect((decimal(first) < decimal(second)) == (a < b), "\(first) < \(second)")
      #expect((decimal(first) == decimal(second)) == (a == b), "\(first) == \(second)")
    }
  }

  @Test("know the integer that they are, where they are written as one of at most 18 digits")
  func integers() {
    for (token, integer) in [
      ("0", 0), ("-0", 0), ("42", 42), ("-999999999999999999", -999_999_999_999_999_999), ("1.0", nil), ("1e1", nil),
      ("1000000000000000000", nil),
    ] as [(String, Int64?)] {
      #expect(decimal(token).integer == integer, "\(token)")
    }
    #expect(JSONDecimal(.min).integer == .min && JSONDecimal(.min) == decimal("-9223372036854775808"))
  }
}
