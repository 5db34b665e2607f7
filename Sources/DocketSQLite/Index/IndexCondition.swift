import DocketStore

/// What is asked of one column of an index.
struct IndexCondition {
  enum Column: Hashable {
    /// Of one of the index's keys, counted from 0.
    case rank(Int)
    case value(Int)
    case id
  }

  enum Relation: String {
    case equal = "="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    /// Of a value that has none: its rank says it all.
    case isNull = "IS NULL"
  }

  let column: Column
  let relation: Relation
  /// nil for `isNull`.
  let bound: IndexBound?

  init(_ column: Column, _ relation: Relation, _ bound: IndexBound? = nil) {
    self.column = column
    self.relation = relation
    self.bound = bound
  }

  /// That a key's value is this one, or one that SQLite does not tell from it.
  static func equal(_ key: Int, _ value: QueryValue) -> [IndexCondition] {
    let rank = IndexCondition(.rank(key), .equal, .integer(Int64(value.rank)))
    if let exact = value.exactBound { return [rank, IndexCondition(.value(key), .equal, exact)] }
    guard let lower = value.lowerBound, let upper = value.upperBound else {
      return [rank, IndexCondition(.value(key), .isNull)]
    }
    return [
      rank, IndexCondition(.value(key), .greaterOrEqual, lower), IndexCondition(.value(key), .lessOrEqual, upper),
    ]
  }
}

extension IndexCondition {
  /// What holds of the entries whose values SQLite has only roughly, where this holds of the values themselves: of a number
  /// the nearest double, of a string what stands before its first NUL.
  var roughly: [IndexCondition] {
    guard case .value = column, let bound else { return [self] }
    switch relation {
    case .equal:
      return [
        IndexCondition(column, .greaterOrEqual, bound.lower), IndexCondition(column, .lessOrEqual, bound.upper),
      ]
    case .less, .lessOrEqual: return [IndexCondition(column, .lessOrEqual, bound.upper)]
    case .greater, .greaterOrEqual: return [IndexCondition(column, .greaterOrEqual, bound.lower)]
    case .isNull: return [self]
    }
  }
}

extension Filter {
  /// The tests that must all hold, where the filter is such; nil where it is another.
  var conjunction: [(Field, Test)]? {
    switch self {
    case .test(let field, let test): return [(field, test)]
    case .all(let filters):
      var tests: [(Field, Test)] = []
      for filter in filters {
        guard let inner = filter.conjunction else { return nil }
        tests += inner
      }
      return tests
    case .any, .not: return nil
    }
  }

  /// The tests that must hold in any case, whatever else must.
  var necessaryTests: [(Field, Test)] {
    switch self {
    case .test(let field, let test): [(field, test)]
    case .all(let filters): filters.flatMap(\.necessaryTests)
    case .any, .not: []
    }
  }
}

extension Filter.Test {
  /// The value that it wants, if it is of a kind that an index tells.
  var equalValue: QueryValue? {
    guard case .equal(let value) = self, value.rank < 6 else { return nil }
    return value
  }

  /// The values of which it wants one, each once, if an index tells all of them; nil otherwise.
  var alternatives: [QueryValue]? {
    guard case .oneOf(let values) = self, !values.isEmpty else { return nil }
    var distinct: [QueryValue] = []
    for value in values where !distinct.contains(where: { $0.isSame(as: value) }) {
      guard value.rank < 6, value.isExact, distinct.count < Self.maximumAlternatives else { return nil }
      distinct.append(value)
    }
    return distinct
  }

  /// With more values than this all documents are looked at.
  private static let maximumAlternatives = 1_000

  /// A range of one key; nil if it is none. What SQLite finds in it is at least what passes the test.
  func range(of key: Int) -> [IndexCondition]? {
    func rank(_ value: QueryValue) -> IndexCondition {
      IndexCondition(.rank(key), .equal, .integer(Int64(value.rank)))
    }
    switch self {
    case .equal(let value) where value.rank < 6: return IndexCondition.equal(key, value)
    case .less(let value), .lessOrEqual(let value):
      guard let bound = value.upperBound else { return [rank(value)] }
      return [rank(value), IndexCondition(.value(key), value.isExact && !isInclusive ? .less : .lessOrEqual, bound)]
    case .greater(let value), .greaterOrEqual(let value):
      guard let bound = value.lowerBound else { return [rank(value)] }
      return [
        rank(value), IndexCondition(.value(key), value.isExact && !isInclusive ? .greater : .greaterOrEqual, bound),
      ]
    case .prefix(let prefix) where !prefix.contains(0) && !prefix.isEmpty:
      var end = prefix
      // No byte of UTF-8 is the greatest one.
      end[end.count - 1] += 1
      return [
        IndexCondition(.rank(key), .equal, .integer(5)), IndexCondition(.value(key), .greaterOrEqual, .text(prefix)),
        IndexCondition(.value(key), .less, .text(end)),
      ]
    case .exists(true): return [IndexCondition(.rank(key), .greater, .integer(0))]
    case .exists(false): return [IndexCondition(.rank(key), .equal, .integer(0))]
    case .equal, .oneOf, .prefix, .contains: return nil
    }
  }

  private var isInclusive: Bool {
    switch self {
    case .lessOrEqual, .greaterOrEqual: true
    default: false
    }
  }

  /// Whether exactly what passes the test is in its range, of documents whose values SQLite has as queries have them.
  var rangeIsExact: Bool {
    switch self {
    case .equal(let value), .lessOrEqual(let value), .greaterOrEqual(let value): value.isExact
    // Nothing is less than null, say; the range of its rank holds null itself.
    case .less(let value), .greater(let value): value.exactBound != nil
    case .prefix, .exists: true
    case .oneOf, .contains: false
    }
  }
}

extension QueryValue {
  fileprivate var isExact: Bool { !hasBound || exactBound != nil }
}
