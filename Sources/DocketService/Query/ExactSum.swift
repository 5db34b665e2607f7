/// A sum of doubles without error, rounded once when it is read: so it is the same in whatever order they come.
///
/// Every finite double is a whole multiple of 2^-1074, the largest below 2^2098 of them. So 34 limbs hold any sum of
/// 2^60 doubles with its sign (Kulisch's accumulator): 272 bytes.
struct ExactSum: Sendable {
  /// Of 2^-1074, the least first, in two's complement.
  private var limbs = [UInt64](repeating: 0, count: 34)
  /// An infinite number was added.
  private var isInfinite = false

  mutating func add(_ number: Double) {
    guard number.isFinite else { return isInfinite = true }
    let exponent = number.exponentBitPattern
    let significand = number.significandBitPattern | (exponent > 0 ? 1 << 52 : 0)
    add(significand, shift: Int(max(exponent, 1)) - 1, isNegative: number.sign == .minus)
  }

  mutating func add(_ integer: Int128) {
    let magnitude = integer.magnitude
    add(UInt64(truncatingIfNeeded: magnitude), shift: 1074, isNegative: integer < 0)
    add(UInt64(truncatingIfNeeded: magnitude >> 64), shift: 1074 + 64, isNegative: integer < 0)
  }

  /// Adds the magnitude times 2^shift to the limbs, or takes it from them.
  private mutating func add(_ magnitude: UInt64, shift: Int, isNegative: Bool) {
    var index = shift / 64
    var addend = magnitude << UInt64(shift % 64)
    var above = magnitude >> UInt64(64 - shift % 64)
    while addend != 0 || above != 0, index < limbs.count {
      let (limb, carries) =
        isNegative ? limbs[index].subtractingReportingOverflow(addend) : limbs[index].addingReportingOverflow(addend)
      limbs[index] = limb
      // What is above has room for a carry: a shift leaves no more than 63 bits there.
      addend = above + (carries ? 1 : 0)
      above = 0
      index += 1
    }
  }

  /// The nearest double, of two equally near ones the even one; infinite beyond the largest.
  var double: Double {
    guard !isInfinite else { return .infinity }
    let isNegative = limbs[limbs.count - 1] >> 63 == 1
    let magnitude = isNegative ? Self.negated(limbs) : limbs
    guard let top = magnitude.lastIndex(where: { $0 != 0 }) else { return 0 }
    let bits = top * 64 + 64 - magnitude[top].leadingZeroBitCount
    // The significand is the 53 highest bits; behind fewer no double has more of them.
    let shift = max(bits - 53, 0)
    guard shift <= 2045 else { return isNegative ? -.infinity : .infinity }
    var significand = Self.window(magnitude, at: shift) & (1 << 53 - 1)
    if shift > 0, Self.bit(magnitude, shift - 1),
      significand & 1 == 1 || Self.hasBits(magnitude, below: shift - 1)
    {
      significand += 1
    }
    // The highest bit of a normal significand adds itself to the exponent; so does what rounding carries.
    let double = Double(bitPattern: UInt64(shift) << 52 + significand)
    return isNegative ? -double : double
  }

  private static func negated(_ limbs: [UInt64]) -> [UInt64] {
    var carries = true
    return limbs.map { limb in
      let (sum, overflow) = (~limb).addingReportingOverflow(carries ? 1 : 0)
      carries = overflow
      return sum
    }
  }

  /// The 64 bits from this one on.
  private static func window(_ limbs: [UInt64], at bit: Int) -> UInt64 {
    let index = bit / 64
    let above = index + 1 < limbs.count ? limbs[index + 1] : 0
    return limbs[index] >> UInt64(bit % 64) | above << UInt64(64 - bit % 64)
  }

  private static func bit(_ limbs: [UInt64], _ bit: Int) -> Bool { limbs[bit / 64] >> UInt64(bit % 64) & 1 == 1 }

  private static func hasBits(_ limbs: [UInt64], below bit: Int) -> Bool {
    limbs[..<(bit / 64)].contains { $0 != 0 } || limbs[bit / 64] & (1 << UInt64(bit % 64) - 1) != 0
  }
}
