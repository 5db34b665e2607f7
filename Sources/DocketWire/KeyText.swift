import DocketJSON

/// A key that can be matched in a `switch` against ASCII names without building a string.
struct KeyText {
  private let token: UnsafeRawBufferPointer
  private let hasEscapes: Bool

  init(of key: JSONScanner.StringToken, in bytes: UnsafeRawBufferPointer) {
    token = UnsafeRawBufferPointer(rebasing: bytes[key.range])
    hasEscapes = key.hasEscapes
  }

  static func ~= (name: StaticString, key: KeyText) -> Bool {
    if key.hasEscapes { return JSONString.decode(key.token).map { $0 == name.description } ?? false }
    return UnsafeRawBufferPointer(rebasing: key.token[1..<key.token.count - 1]).isText(name)
  }
}
