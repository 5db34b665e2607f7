/// FNV-1a, 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/): it tells mistakes, not attacks; who sends two requests that
/// have the same may confuse only himself.
struct Fingerprint {
  private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

  mutating func add(_ bytes: some Sequence<UInt8>) {
    for byte in bytes { add(byte) }
    // No text holds 0xFF, so that parts cannot run into each other.
    add(0xFF)
  }

  mutating func add(_ text: String) {
    var text = text
    text.withUTF8 { add($0) }
  }

  mutating func add(_ byte: UInt8) {
    value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
  }
}
