import CGlibc
import DocketJSON

extension Filter {
  /// Whether a document is wanted.
  public func matches(_ document: Document) -> Bool { document.withView { matches($0) } }

  /// The same of one that was not copied.
  public func matches(_ document: DocumentView) -> Bool {
    switch self {
    case .all(let filters): filters.allSatisfy { $0.matches(document) }
    case .any(let filters): filters.contains { $0.matches(document) }
    case .not(let filter): !filter.matches(document)
    case .test(.value(let path), .equal(.string(let text))): path.isString(text, in: document.data)
    case .test(let field, let test): test.holds(for: field.value(in: document))
    }
  }
}

extension FieldPath {
  /// Whether a value is this string, without a copy of it: what most queries ask.
  fileprivate func isString(_ wanted: [UInt8], in text: UnsafeRawBufferPointer) -> Bool {
    guard let range = range(in: text), text[range.lowerBound] == UInt8(ascii: "\"") else { return false }
    let inside = text[range.lowerBound + 1..<range.upperBound - 1]
    guard inside.contains(UInt8(ascii: "\\")) else {
      return inside.count == wanted.count && inside.elementsEqual(wanted)
    }
    return JSONString.content(of: UnsafeRawBufferPointer(rebasing: text[range])) == wanted
  }
}

extension Filter.Test {
  func holds(for value: QueryValue) -> Bool {
    if case .exists(let wanted) = self { return (value.rank != 0) == wanted }
    guard value.rank != 0 else { return false }
    switch self {
    case .exists: return false
    case .equal(let other): return value.isSame(as: other)
    case .less(let bound): return value.rank == bound.rank && value.order(to: bound) < 0
    case .lessOrEqual(let bound): return value.rank == bound.rank && value.order(to: bound) <= 0
    case .greater(let bound): return value.rank == bound.rank && value.order(to: bound) > 0
    case .greaterOrEqual(let bound): return value.rank == bound.rank && value.order(to: bound) >= 0
    case .oneOf(let values): return values.contains { value.isSame(as: $0) }
    case .prefix(let prefix):
      guard case .string(let bytes) = value else { return false }
      return bytes.starts(with: prefix)
    case .contains(let wanted): return value.contains(wanted)
    }
  }
}

extension QueryValue {
  /// A string holds a string, an array an element.
  fileprivate func contains(_ wanted: QueryValue) -> Bool {
    switch self {
    case .string(let text):
      guard case .string(let piece) = wanted else { return false }
      return text.holds(piece)
    case .composite(let text):
      return text.withUnsafeBytes { text in
        JSONChildren.elements(of: text)?.contains { element in
          QueryValue(token: UnsafeRawBufferPointer(rebasing: text[element])).isSame(as: wanted)
        } ?? false
      }
    default: return false
    }
  }
}

extension [UInt8] {
  /// Whether these bytes stand in it together; none do in any. glibc takes a time that grows with the two together, whatever
  /// they hold.
  fileprivate func holds(_ piece: [UInt8]) -> Bool {
    guard !piece.isEmpty else { return true }
    return withUnsafeBytes { bytes in
      piece.withUnsafeBytes { piece in
        guard let text = bytes.baseAddress, let wanted = piece.baseAddress else { return false }
        return memmem(text, bytes.count, wanted, piece.count) != nil
      }
    }
  }
}
