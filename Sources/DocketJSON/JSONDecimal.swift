/// A number of JSON by its exact decimal value: 1, 1.0 and 10e-1 are one number, and 9007199254740993 is more than
/// 9007199254740992.0.
public struct JSONDecimal: Comparable, Sendable {
  private enum Form {
    case integer(Int64)
    case written([UInt8])
  }

  private let form: Form

  /// - Parameter token: a number token that a scanner has checked.
  public init(_ token: UnsafeRawBufferPointer) {
    form = Self.integer(token).map(Form.integer) ?? .written(Array(token))
  }

  public init(_ integer: Int64) {
    form = .integer(integer)
  }

  /// Its value, if it was written as an integer of at most 18 digits, or made of one.
  public var integer: Int64? {
    if case .integer(let value) = form { value } else { nil }
  }

  /// The number as a token of JSON.
  public var token: [UInt8] {
    switch form {
    case .integer(let value): Array(String(value).utf8)
    case .written(let token): token
    }
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
    return a.withNumber { a in b.withNumber { b in a == b } }
  }

  public static func < (a: Self, b: Self) -> Bool {
    if let first = a.integer, let second = b.integer { return first < second }
    return a.withNumber { a in b.withNumber { b in a < b } }
  }

  private func withNumber<Result>(_ body: (JSONNumber) -> Result) -> Result {
    token.withUnsafeBytes { body(JSONNumber($0)) }
  }
}
