import Synchronization

/// By what a request is found again in the log: its `X-Request-Id`, which the answer has, too.
enum RequestID {
  static let field = "X-Request-Id"

  private static let maximumBytes = 128

  /// - Parameter given: the client's own, which is taken where it fits into a line of the log.
  static func of(_ given: String?) -> String {
    if let given, (1...maximumBytes).contains(given.utf8.count),
      given.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
    {
      return given
    }
    return hexadecimal(mixed(next.wrappingAdd(1, ordering: .relaxed).newValue))
  }

  /// Begins anywhere, so that two servers, or two runs of one, do not name their requests alike.
  private static let next = Atomic(UInt64.random(in: .min ... .max))

  /// Each number becomes another one that shows nothing of it (the finalizer of MurmurHash3, which is a bijection).
  private static func mixed(_ number: UInt64) -> UInt64 {
    var bits = (number ^ number >> 33) &* 0xff51_afd7_ed55_8ccd
    bits = (bits ^ bits >> 33) &* 0xc4ce_b9fe_1a85_ec53
    return bits ^ bits >> 33
  }

  private static func hexadecimal(_ number: UInt64) -> String {
    String(unsafeUninitializedCapacity: 16) { digits in
      for index in 0..<16 {
        let digit = UInt8(truncatingIfNeeded: number >> UInt64(60 - 4 * index)) & 15
        digits[index] = digit + (digit < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10)
      }
      return 16
    }
  }
}
