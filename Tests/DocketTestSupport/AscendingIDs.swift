import DocketStore

/// Makes ids in the form of UUIDv7 (RFC 9562), each greater than the one before, whatever the clock does.
struct AscendingIDs: Sendable {
  private var milliseconds: UInt64 = 0
  private var count: UInt64 = 0

  mutating func next(now: Timestamp) -> String {
    if UInt64(now.milliseconds) > milliseconds {
      milliseconds = UInt64(now.milliseconds)
      count = 0
    } else {
      count += 1
    }
    // 48 bits of time, the version, 12 bits of zero, the variant, and 62 bits that count the ids of one millisecond.
    let high = milliseconds << 16 | 0x7000
    let low = 0x8000_0000_0000_0000 | count
    let digits = Array(Self.hexadecimal(high) + Self.hexadecimal(low))
    return [digits[0..<8], digits[8..<12], digits[12..<16], digits[16..<20], digits[20..<32]]
      .map { String($0) }.joined(separator: "-")
  }

  private static func hexadecimal(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
