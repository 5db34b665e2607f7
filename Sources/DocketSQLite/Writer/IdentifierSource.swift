/// Makes UUIDv7 (RFC 9562, section 5.7): a time, then random bits. Each is greater than the one before, as text too.
///
/// Within one millisecond the random part counts on in random steps (section 6.2, method 2). It begins with its
/// highest bit clear and there are 2^74 values, so even at the largest steps it does not overflow
/// within 2^41 ids, which no millisecond holds.
struct IdentifierSource {
  private var milliseconds: Int64 = -1
  /// The 12 random bits behind the version, then the 62 behind the variant.
  private var high: UInt64 = 0
  private var low: UInt64 = 0
  private var generator = SystemRandomNumberGenerator()

  private static let lowMask: UInt64 = 1 << 62 - 1

  /// - Parameter milliseconds: the time in the id; it must not fall from call to call.
  mutating func next(milliseconds: Int64) -> String {
    precondition(milliseconds >= self.milliseconds, "the time of groups never falls")
    if milliseconds > self.milliseconds {
      self.milliseconds = milliseconds
      high = generator.next() & 0x7ff
      low = generator.next() & Self.lowMask
    } else {
      low += UInt64(UInt32.random(in: 1...UInt32.max, using: &generator))
      high += low >> 62
      low &= Self.lowMask
    }
    return Self.text(
      UInt64(bitPattern: milliseconds) << 16 | 0x7000 | high,
      0x8000_0000_0000_0000 | low)
  }

  private static func text(_ first: UInt64, _ second: UInt64) -> String {
    String(unsafeUninitializedCapacity: 36) { text in
      var position = 0
      for digit in 0..<32 {
        if digit == 8 || digit == 12 || digit == 16 || digit == 20 {
          text[position] = UInt8(ascii: "-")
          position += 1
        }
        let half = digit < 16 ? first : second
        let value = UInt8(truncatingIfNeeded: half >> (60 - 4 * UInt64(digit & 15)) & 0xf)
        text[position] = value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
        position += 1
      }
      return position
    }
  }
}
