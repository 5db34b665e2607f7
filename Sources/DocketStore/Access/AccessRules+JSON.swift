import DocketJSON

extension AccessRules {
  /// As a store keeps them, and as answers show them: `["read:/notes/", "stats"]`.
  public var json: String {
    "[\(rules.map { JSONString.token($0.text) }.joined(separator: ", "))]"
  }

  /// Reads what `json` wrote. Where one of them cannot be read, or the whole is no JSON, nothing is allowed.
  public init(stored text: UnsafeRawBufferPointer) {
    var rules: [AccessRule] = []
    // Somebody may have put anything there, and of what is half there the half may be too much.
    guard (try? JSONScanner.validate(text)) != nil else {
      self = .none
      return
    }
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
