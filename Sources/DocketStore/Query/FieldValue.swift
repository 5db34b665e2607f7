import DocketJSON

extension Field {
  /// What the field is in a document.
  public func value(in document: Document) -> QueryValue { document.withView { value(in: $0) } }

  /// The same in one that was not copied.
  public func value(in document: DocumentView) -> QueryValue {
    switch self {
    case .id: .string(Array(document.id))
    case .created: .number(JSONDecimal(document.created))
    case .updated: .number(JSONDecimal(document.updated))
    case .revision: .number(JSONDecimal(document.revision))
    case .value(let path): path.value(in: document.data)
    }
  }
}

extension FieldPath {
  /// - Parameter text: valid JSON.
  public func value(in text: UnsafeRawBufferPointer) -> QueryValue {
    range(in: text).map { QueryValue(token: UnsafeRawBufferPointer(rebasing: text[$0])) } ?? .missing
  }

  /// Where the value stands in a text of valid JSON; nil if there is none.
  public func range(in text: UnsafeRawBufferPointer) -> Range<Int>? {
    var found = 0..<text.count
    for segment in segments {
      let outer = found
      let container = UnsafeRawBufferPointer(rebasing: text[outer])
      guard let inner = Self.child(named: segment, of: container) else { return nil }
      found = outer.lowerBound + inner.lowerBound..<outer.lowerBound + inner.upperBound
    }
    return found
  }

  private static func child(named segment: String, of text: UnsafeRawBufferPointer) -> Range<Int>? {
    var scanner = JSONScanner(text)
    scanner.skipWhitespace()
    switch scanner.next {
    case UInt8(ascii: "{"):
      guard var members = try? JSONMembers(of: scanner) else { return nil }
      while let member = try? members.next() {
        if member.key.isAddressed(by: segment, in: text) { return member.value }
      }
      return nil
    case UInt8(ascii: "["):
      guard let index = Int(segment), index >= 0, String(index) == segment else { return nil }
      return JSONChildren.element(index, of: text)
    default: return nil
    }
  }
}

extension JSONScanner.StringToken {
  fileprivate func isAddressed(by name: String, in text: UnsafeRawBufferPointer) -> Bool {
    let token = UnsafeRawBufferPointer(rebasing: text[range])
    guard hasEscapes else {
      let inside = token[1..<token.count - 1]
      return inside.count == name.utf8.count && inside.elementsEqual(name.utf8)
    }
    guard !JSONString.escapesASCII(token), let decoded = JSONString.decode(token) else { return false }
    return decoded.utf8.elementsEqual(name.utf8)
  }
}

extension QueryValue {
  /// - Parameter token: valid JSON, with white space around it at most.
  public init(token text: UnsafeRawBufferPointer) {
    var scanner = JSONScanner(text)
    scanner.skipWhitespace()
    let token = UnsafeRawBufferPointer(rebasing: text[scanner.offset...])
    switch token.first {
    case UInt8(ascii: "n"): self = .null
    case UInt8(ascii: "f"): self = .false
    case UInt8(ascii: "t"): self = .true
    case UInt8(ascii: "\""): self = .string(JSONString.content(of: Self.trimmed(token)))
    case UInt8(ascii: "{"), UInt8(ascii: "["): self = .composite(Array(Self.trimmed(token)))
    case nil: self = .missing
    default: self = .number(JSONDecimal(Self.trimmed(token)))
    }
  }

  private static func trimmed(_ token: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    guard let end = token.lastIndex(where: { $0 > UInt8(ascii: " ") }) else { return token }
    return UnsafeRawBufferPointer(rebasing: token[...end])
  }
}
