import DocketJSON

extension AccessRules {
  /// As a store keeps them, and as answers show them: `["read:/notes/", "stats"]`.
  public var json: String {
    "[\(rules.map { JSONString.token($0.text) }.joined(separator: ", "))]"
  }

  /// Reads what `json` wrote. Where one of them cannot be read, nothing is allowed.
  public init(stored text: UnsafeRawBufferPointer) {
    var rules: [AccessRule] = []
    for place in JSONChildren.elements(of: text) ?? [] {
      let token = UnsafeRawBufferPointer(rebasing: text[place])
      guard token.first == UInt8(ascii: "\""), let rule = JSONString.decode(token).flatMap({ try? AccessRule($0) })
      else {
        self = .none
        return
      }
      rules.append(rule)
    }
    self.init(rules)
  }
}

extension JSONString {
  fileprivate static func token(_ text: String) -> String {
    var token: [UInt8] = []
    encode(text, into: &token)
    return String(decoding: token, as: UTF8.self)
  }
}
