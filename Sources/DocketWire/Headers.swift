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
  /// without: `Prefer: dry-run; a=1` (RFC 7240, section 2). What stands behind `maximumListed` commas is not looked at.
  public func list(_ name: String, contains token: String) -> Bool {
    guard let value = self[name] else { return false }
    var rest = value.utf8[...]
    for _ in 0..<Self.maximumListed {
      let item = rest.prefix { $0 != UInt8(ascii: ",") }
      if item.prefix(while: { $0 != UInt8(ascii: ";") }).trimmed.equalsIgnoringASCIICase(token.utf8) { return true }
      rest = rest[item.endIndex...].dropFirst()
      if rest.isEmpty { return false }
    }
    return false
  }

  /// How many elements of a list are looked at.
  public static let maximumListed = 1_000
}

extension Substring.UTF8View {
  fileprivate var trimmed: Substring.UTF8View {
    var rest = drop { $0.isSpace }
    while rest.last?.isSpace == true { rest.removeLast() }
    return rest
  }
}

extension StringProtocol {
  fileprivate func equalsIgnoringASCIICase(_ other: some StringProtocol) -> Bool {
    utf8.equalsIgnoringASCIICase(other.utf8)
  }
}

extension Collection<UInt8> {
  fileprivate func equalsIgnoringASCIICase(_ other: some Collection<UInt8>) -> Bool {
    // Names mostly differ in length, which is known without looking at them.
    count == other.count && elementsEqual(other) { $0.asciiLowercased == $1.asciiLowercased }
  }
}

extension UInt8 {
  fileprivate var isSpace: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }
  fileprivate var asciiLowercased: UInt8 { self >= 0x41 && self <= 0x5A ? self | 0x20 : self }
}
