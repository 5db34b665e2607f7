/// The `headers` of a request or a response: HTTP's names, compared without regard to case.
public struct Headers: Sendable, Equatable {
  public struct Field: Sendable, Equatable {
    public let name: String
    public let value: String
  }

  public private(set) var fields: [Field]

  public init(_ fields: [(name: String, value: String)] = []) {
    self.fields = fields.map { Field(name: $0.name, value: $0.value) }
  }

  /// The value given last under this name, in any case.
  public subscript(name: String) -> String? {
    fields.last { $0.name.equalsIgnoringASCIICase(name) }?.value
  }

  public mutating func reserveCapacity(_ count: Int) { fields.reserveCapacity(count) }

  public mutating func append(_ name: String, _ value: String) {
    fields.append(Field(name: name, value: value))
  }

  /// Whether a list such as `Connection: keep-alive, foo` holds `token` (RFC 9110, section 5.6.1), with parameters or
  /// without: `Prefer: dry-run; a=1` (RFC 7240, section 2).
  public func list(_ name: String, contains token: String) -> Bool {
    guard let value = self[name] else { return false }
    return value.split(separator: ",").contains { item in
      item.prefix { $0 != ";" }.drop { $0 == " " || $0 == "\t" }.trimmedAtEnd.equalsIgnoringASCIICase(token)
    }
  }
}

extension Substring {
  fileprivate var trimmedAtEnd: Substring {
    var rest = self
    while let last = rest.last, last == " " || last == "\t" { rest.removeLast() }
    return rest
  }
}

extension StringProtocol {
  fileprivate func equalsIgnoringASCIICase(_ other: some StringProtocol) -> Bool {
    // Names mostly differ in length, which is known without looking at them.
    utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8) { $0.asciiLowercased == $1.asciiLowercased }
  }
}

extension UInt8 {
  fileprivate var asciiLowercased: UInt8 { self >= 0x41 && self <= 0x5A ? self | 0x20 : self }
}
