import DocketStore

extension QueryRequest {
  /// The fields of an index of the collection with which the query would look at fewer documents: those that must equal
  /// a value, then the sort keys, or else one that is bounded; empty where none would help.
  var helpfulIndex: [String] {
    // An index is of one collection, and of what is now.
    guard case .collection = scope, asOf == nil else { return [] }
    let tests = requiredTests
    var keys: [Query.SortKey] = []
    for (field, test) in tests where test.wantsOneScalar && !keys.contains(where: { $0.field == field }) {
      keys.append(Query.SortKey(field))
    }
    // Fields of which only one value is left have no part in the order.
    let sort = sort.filter { key in !keys.contains { $0.field == key.field } }.prefix { $0.field.isIndexable }
    keys += sort
    if sort.isEmpty {
      let bounded = tests.first { field, test in test.wantsRange && !keys.contains { $0.field == field } }
      if let bounded { keys.append(Query.SortKey(bounded.field)) }
    }
    guard keys.count <= CollectionIndex.maximumKeys else { return [] }
    return keys.map(\.name)
  }

  private var sort: [Query.SortKey] {
    if case .page(let page) = answer { page.sort } else { [] }
  }

  /// What every document that matches has passed, of values in documents that an index can have.
  private var requiredTests: [(field: Field, test: Filter.Test)] {
    let filters = if case .all(let filters) = filter { filters } else { [filter] }
    return filters.compactMap { filter in
      if case .test(let field, let test) = filter, field.isIndexable { (field, test) } else { nil }
    }
  }
}

extension Field {
  /// Whether an index can have it.
  fileprivate var isIndexable: Bool { if case .value(let path) = self { path.canBeIndexed } else { false } }
}

extension Filter.Test {
  fileprivate var wantsOneScalar: Bool {
    switch self {
    case .equal(.composite): false
    case .equal: true
    default: false
    }
  }

  fileprivate var wantsRange: Bool {
    switch self {
    case .less, .lessOrEqual, .greater, .greaterOrEqual, .prefix, .oneOf: true
    case .equal, .exists, .contains: false
    }
  }
}
