import DocketStore
import NIOCore

/// A filter, and what it means by the samples' own meaning.
indirect enum SampleFilter: Sendable {
  case all([SampleFilter])
  case any([SampleFilter])
  case not(SampleFilter)
  case test(String, Test)

  enum Test: Sendable {
    case equal(SampleValue)
    case less(SampleValue)
    case lessOrEqual(SampleValue)
    case greater(SampleValue)
    case greaterOrEqual(SampleValue)
    case oneOf([SampleValue])
    case exists(Bool)
    /// Code points.
    case prefix([UInt32], SampleValue)
    case contains(SampleValue)
  }

  /// As a store is asked it.
  var filter: Filter {
    switch self {
    case .all(let filters): .all(filters.map(\.filter))
    case .any(let filters): .any(filters.map(\.filter))
    case .not(let filter): .not(filter.filter)
    case .test(let field, let test): .test(Field(sample: field), test.test)
    }
  }

  func holds(for document: SampleValue) -> Bool {
    switch self {
    case .all(let filters): filters.allSatisfy { $0.holds(for: document) }
    case .any(let filters): filters.contains { $0.holds(for: document) }
    case .not(let filter): !filter.holds(for: document)
    case .test(let field, .exists(let wanted)): (document[field] != nil) == wanted
    case .test(let field, let test): document[field].map(test.holds) ?? false
    }
  }
}

extension SampleFilter.Test {
  fileprivate var test: Filter.Test {
    switch self {
    case .equal(let value): .equal(value.queryValue)
    case .less(let value): .less(value.queryValue)
    case .lessOrEqual(let value): .lessOrEqual(value.queryValue)
    case .greater(let value): .greater(value.queryValue)
    case .greaterOrEqual(let value): .greaterOrEqual(value.queryValue)
    case .oneOf(let values): .oneOf(values.map(\.queryValue))
    case .exists(let wanted): .exists(wanted)
    case .prefix(_, let value): if case .string(let bytes) = value.queryValue { .prefix(bytes) } else { .prefix([]) }
    case .contains(let value): .contains(value.queryValue)
    }
  }

  fileprivate func holds(for value: SampleValue) -> Bool {
    switch self {
    case .equal(let other): return value.isSame(as: other)
    case .less(let bound): return value.kind == bound.kind && SampleValue.isBefore(value, bound)
    case .lessOrEqual(let bound): return value.kind == bound.kind && !SampleValue.isBefore(bound, value)
    case .greater(let bound): return value.kind == bound.kind && SampleValue.isBefore(bound, value)
    case .greaterOrEqual(let bound): return value.kind == bound.kind && !SampleValue.isBefore(value, bound)
    case .oneOf(let values): return values.contains { value.isSame(as: $0) }
    case .exists(let wanted): return wanted
    case .prefix(let start, _):
      guard case .string(let points) = value.meaning else { return false }
      return points.starts(with: start)
    case .contains(let part):
      switch (value.meaning, part.meaning) {
      case (.string(let whole), .string(let piece)):
        return (0...whole.count).contains { whole[$0...].starts(with: piece) }
      case (.array(let elements), _): return elements.contains { $0.isSame(as: part) }
      default: return false
      }
    }
  }
}

extension SampleValue {
  fileprivate var queryValue: QueryValue { Array(text.utf8).withUnsafeBytes { QueryValue(token: $0) } }
}

extension Field {
  /// - Parameter name: a dotted path, or with an @ before it a name of what the store knows of a document.
  public init(sample name: String) {
    switch name {
    case "@id": self = .id
    case "@created": self = .created
    case "@updated": self = .updated
    case "@revision": self = .revision
    default: self = .value(FieldPath(unchecked: name.split(separator: ".").map(String.init)))
    }
  }
}
