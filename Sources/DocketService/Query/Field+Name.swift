import DocketStore

extension Field {
  static let maximumSegments = 16
  /// The longest name, in bytes.
  static let maximumBytes = 256

  /// - Parameter name: a dotted path such as `author.name` or `tags.0`, or `@id`, `@created`, `@updated` or `@revision`.
  init(name: String) throws(ParameterError) {
    switch name {
    case "@id": self = .id
    case "@created": self = .created
    case "@updated": self = .updated
    case "@revision": self = .revision
    default: self = .value(try FieldPath(name: name))
    }
  }

  /// As requests name it.
  var name: String {
    switch self {
    case .value(let path): path.description
    case .id: "@id"
    case .created: "@created"
    case .updated: "@updated"
    case .revision: "@revision"
    }
  }
}

extension FieldPath {
  /// - Parameter name: a dotted path such as `author.name` or `tags.0`.
  init(name: String) throws(ParameterError) {
    func invalid(_ reason: String) -> ParameterError {
      ParameterError(code: "invalid_field", detail: "'\(name.shortened)' names no field: \(reason)")
    }
    guard name.utf8.count <= Field.maximumBytes else { throw invalid("it has more than \(Field.maximumBytes) bytes.") }
    let segments = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard segments.count <= Field.maximumSegments else {
      throw invalid("it has more than \(Field.maximumSegments) segments.")
    }
    for segment in segments {
      switch segment.first {
      case nil: throw invalid("a segment is empty; a field is a dotted path such as author.name.")
      case UInt8(ascii: "@"):
        throw invalid(
          "with an @ there are @id, @created, @updated and @revision, and keys that begin so cannot be named.")
      case UInt8(ascii: "$"): throw invalid("a $ begins an operator, and keys that begin so cannot be named.")
      default: break
      }
    }
    self.init(unchecked: segments.map { String(Substring($0)) })
  }
}

extension Query.SortKey {
  /// - Parameter name: of a field; with a minus before it: descending.
  init(name: String) throws(ParameterError) {
    let isDescending = name.utf8.first == UInt8(ascii: "-")
    self.init(
      try Field(name: isDescending ? String(Substring(name.utf8.dropFirst())) : name), isDescending: isDescending)
  }

  /// As requests name it.
  var name: String { (isDescending ? "-" : "") + field.name }
}
