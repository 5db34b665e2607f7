/// A number of JSON by its exact decimal value: 1, 1.0 and 10e-1 are one number, and 9007199254740993 is more than
/// 9007199254740992.0.
public struct JSONDecimal: Comparable, Sendable {
  /// As it was written.
  public let token: [UInt8]
  /// Its value, where it is written as an integer that fits.
  public let integer: Int64?

  /// - Parameter token: a number token that a scanner has checked.
  public init(_ token: UnsafeRawBufferPointer) {
    self.token = Array(token)
    integer = Self.integer(token)
  }

  public init(_ integer: Int64) {
    token = Array(String(integer).utf8)
    self.integer = integer
  }

  private static func integer(_ token: UnsafeRawBufferPointer) -> Int64? {
    let isNegative = token.first == UInt8(ascii: "-")
    var value: Int64 = 0
    // Eighteen digits fit whatever they are.
    guard token.count <= 18 + (isNegative ? 1 : 0) else { return nil }
    for byte in token[(isNegative ? 1 : 0)...] {
      guard JSONScanner.isDigit(byte) else { return nil }
      value = value * 10 + Int64(byte - UInt8(ascii: "0"))
    }
    return isNegative ? -value : value
  }

  public static func == (a: Self, b: Self) -> Bool {
    if let first = a.integer, let second = b.integer { return first == second }
    return a.token.withUnsafeBytes { a in b.token.withUnsafeBytes { b in JSONNumber(a) == JSONNumber(b) } }
  }

  public static func < (a: Self, b: Self) -> Bool {
    if let first = a.integer, let second = b.integer { return first < second }
    return a.token.withUnsafeBytes { a in b.token.withUnsafeBytes { b in JSONNumber(a) < JSONNumber(b) } }
  }
}
