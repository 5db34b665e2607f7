import Glibc

/// What a string token means, for comparing: two are equal when their code units are, however they are escaped.
struct JSONStringContent: Hashable {
  /// The inside of the token, where no escape stands in it.
  private let plain: UnsafeRawBufferPointer
  private let unescaped: [UInt8]?

  init(token: UnsafeRawBufferPointer, hasEscapes: Bool) {
    let content = UnsafeRawBufferPointer(rebasing: token[1..<token.count - 1])
    plain = content
    unescaped =
      hasEscapes
      ? Array(unsafeUninitializedCapacity: content.count) { buffer, count in
        count = JSONString.unescape(content, into: buffer).count
      } : nil
  }

  /// What a text says that is no token.
  init(_ text: String) {
    plain = UnsafeRawBufferPointer(start: nil, count: 0)
    unescaped = Array(text.utf8)
  }

  private func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    if let unescaped { unescaped.withUnsafeBytes(body) } else { body(plain) }
  }

  static func == (a: Self, b: Self) -> Bool {
    a.withBytes { a in
      b.withBytes { b in
        guard a.count == b.count else { return false }
        guard let first = a.baseAddress, let second = b.baseAddress else { return true }
        return memcmp(first, second, a.count) == 0
      }
    }
  }

  func hash(into hasher: inout Hasher) {
    withBytes { hasher.combine(bytes: $0) }
  }
}
