import HTTPTypes

/// By what a request is found again in the log: its `X-Request-Id`, which the answer has, too.
enum RequestID {
  static let field = HTTPField.Name("X-Request-Id")!

  private static let maximumBytes = 128

  /// The client's own, where it fits into a line of the log; a new one otherwise.
  static func of(_ head: HTTPRequest) -> String {
    if let id = head.headerFields[field], (1...maximumBytes).contains(id.utf8.count),
      id.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
    {
      return id
    }
    let number = String(UInt64.random(in: .min ... .max), radix: 16)
    return String(repeating: "0", count: 16 - number.count) + number
  }
}
