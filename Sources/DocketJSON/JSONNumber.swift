/// The exact decimal value of a number token: 0.d₁d₂…dₙ × 10^(exponent + shift), where d₁ and dₙ are not 0.
struct JSONNumber: Comparable {
  private let token: UnsafeRawBufferPointer
  private let isNegative: Bool
  /// From the first digit that is not 0 to the last one, perhaps with a point between them; empty for zero.
  private let significant: Range<Int>
  private let exponent: Exponent

  init(_ token: UnsafeRawBufferPointer) {
    self.token = token
    isNegative = token.first == UInt8(ascii: "-")

    var significant: Range<Int>?
    var digits = 0
    var digitsBeforePoint: Int?
    var zerosInFront = 0
    var index = isNegative ? 1 : 0
    scan: while index < token.count {
      switch token[index] {
      case UInt8(ascii: "e"), UInt8(ascii: "E"):
        break scan
      case UInt8(ascii: "."):
        digitsBeforePoint = digits
      case UInt8(ascii: "0"):
        digits += 1
      default:
        if significant == nil { zerosInFront = digits }
        significant = (significant?.lowerBound ?? index)..<index + 1
        digits += 1
      }
      index += 1
    }
    self.significant = significant ?? 0..<0
    exponent = Exponent(
      UnsafeRawBufferPointer(rebasing: token[min(index + 1, token.count)...]),
      shift: (digitsBeforePoint ?? digits) - zerosInFront)
  }

  static func == (a: Self, b: Self) -> Bool {
    guard !a.significant.isEmpty, !b.significant.isEmpty else { return a.significant.isEmpty == b.significant.isEmpty }
    return a.isNegative == b.isNegative && a.digits.elementsEqual(b.digits) && a.exponent == b.exponent
  }

  static func < (a: Self, b: Self) -> Bool {
    switch (a.sign, b.sign) {
    case let (first, second) where first != second: first < second
    case (0, _): false
    case (1, _): a.magnitudeIsLess(than: b)
    default: b.magnitudeIsLess(than: a)
    }
  }

  private var sign: Int { significant.isEmpty ? 0 : isNegative ? -1 : 1 }

  /// Of numbers that are not 0: since no first digit is 0, the exponent decides before the digits do.
  private func magnitudeIsLess(than other: Self) -> Bool {
    exponent == other.exponent ? digits.lexicographicallyPrecedes(other.digits) : exponent < other.exponent
  }

  private var digits: some Sequence<UInt8> {
    token[significant].lazy.filter { $0 != UInt8(ascii: ".") }
  }
}

extension JSONNumber {
  /// A power of ten as it is written, which may have more digits than any integer type, and a shift that comes from where the point stands.
  private struct Exponent: Comparable {
    private let isNegative: Bool
    /// Without zeros in front.
    private let digits: Slice<UnsafeRawBufferPointer>
    private let shift: Int

    /// - Parameter text: what follows the letter `e`; empty for no exponent.
    init(_ text: UnsafeRawBufferPointer, shift: Int) {
      isNegative = text.first == UInt8(ascii: "-")
      digits = text.drop { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "0") }
      self.shift = shift
    }

    static func == (a: Self, b: Self) -> Bool {
      if let first = a.smallSum, let second = b.smallSum { return first == second }
      return a.sum == b.sum
    }

    static func < (a: Self, b: Self) -> Bool {
      if let first = a.smallSum, let second = b.smallSum { return first < second }
      return a.sum < b.sum
    }

    /// The exponent with its shift, if the digits are so few that nothing can overflow.
    private var smallSum: Int? {
      guard digits.count <= 17 else { return nil }
      let magnitude = digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
      return (isNegative ? -magnitude : magnitude) + shift
    }

    /// The exponent with its shift as a sign and decimal digits, added the way it is done on paper.
    private var sum: Sum {
      if let smallSum { return Sum(isNegative: smallSum < 0, digits: Array(String(smallSum.magnitude).utf8)) }
      // With 18 digits or more it is larger than any shift, so the sign is the exponent's.
      var result = Array(digits)
      var carry = isNegative ? -shift : shift
      for index in result.indices.reversed() where carry != 0 {
        let sum = Int(result[index] - UInt8(ascii: "0")) + carry
        let digit = (sum % 10 + 10) % 10
        result[index] = UInt8(ascii: "0") + UInt8(digit)
        carry = (sum - digit) / 10
      }
      if carry > 0 { result.insert(contentsOf: String(carry).utf8, at: 0) }
      return Sum(isNegative: isNegative, digits: Array(result.drop { $0 == UInt8(ascii: "0") }))
    }

    private struct Sum: Comparable {
      let isNegative: Bool
      /// Without zeros in front.
      let digits: [UInt8]

      static func < (a: Self, b: Self) -> Bool {
        guard a.isNegative == b.isNegative else { return a.isNegative }
        let (less, more) = a.isNegative ? (b, a) : (a, b)
        guard less.digits.count == more.digits.count else { return less.digits.count < more.digits.count }
        return less.digits.lexicographicallyPrecedes(more.digits)
      }
    }
  }
}
