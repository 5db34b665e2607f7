import Synchronization

/// Makes the keys under which a client's writes are carried out once, however often they are sent.
///
/// They begin alike and count up, so that those of one client stand together in the server's index.
final class IdempotencyKeys: Sendable {
  private let prefix: String
  private let last = Atomic<UInt64>(0)

  init() {
    var generator = SystemRandomNumberGenerator()
    prefix = Self.hexadecimal(generator.next()) + Self.hexadecimal(generator.next())
  }

  func next() -> String {
    "\(prefix)-\(Self.hexadecimal(last.add(1, ordering: .relaxed).newValue))"
  }

  private static func hexadecimal(_ number: UInt64) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
