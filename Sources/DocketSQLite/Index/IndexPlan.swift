import DocketStore

/// How an index serves a query.
struct IndexPlan {
  let schema: IndexSchema
  /// Of the index's first keys: what each must be.
  let equal: [QueryValue]
  /// Of the key behind those, if it is asked for a range.
  let range: [IndexCondition]
  /// Of the same key, if it must be one of several values: each of them is looked for.
  let alternatives: [QueryValue]
  /// How many of the keys behind the equal ones are in the order that is wanted, if the index has that order.
  let sorted: Int?
  /// Whether the index is to be walked from its end.
  let isReversed: Bool
  /// Whether the conditions are the whole filter, and SQLite tells just what passes.
  let isExact: Bool

  /// How much better than a look at all documents it is; 0: not at all.
  let merit: Int

  /// nil if the index does not help.
  init?(_ schema: IndexSchema, for query: Query) {
    let keys = schema.index.keys
    let necessary = query.filter.necessaryTests
    func tests(of key: Int) -> [Filter.Test] {
      guard key < keys.count else { return [] }
      return necessary.compactMap { field, test in field == .value(keys[key].path) ? test : nil }
    }
    var equal: [QueryValue] = []
    while equal.count < keys.count, let value = tests(of: equal.count).lazy.compactMap(\.equalValue).first {
      // What SQLite knows only roughly is a range to it.
      guard !value.hasBound || value.exactBound != nil else { break }
      equal.append(value)
    }
    let next = equal.count
    let choices = tests(of: next).lazy.compactMap(\.alternatives).first
    let ranges = choices != nil ? [] : tests(of: next).compactMap { $0.range(of: next) }
    self.schema = schema
    self.equal = equal
    range = ranges.flatMap { $0 }
    alternatives = choices ?? []
    let used = equal.count + ranges.count + (choices == nil ? 0 : 1)
    isExact =
      query.filter.conjunction?.count == used && (choices != nil || tests(of: next).allSatisfy(\.rangeIsExact))
    // What is found value by value is in no order but that.
    let wanted = choices == nil ? query.order : nil
    let order = wanted.map { Self.order(of: keys, behind: next, as: $0) } ?? (sorted: nil, isReversed: false)
    sorted = order.sorted
    isReversed = order.isReversed
    // An order alone helps where few are wanted.
    let hasUsefulOrder = sorted.map { $0 > 0 } ?? false && query.limit != nil
    guard !equal.isEmpty || !range.isEmpty || choices != nil || hasUsefulOrder else { return nil }
    merit = 4 * equal.count + (choices != nil ? 3 : range.isEmpty ? 0 : 2) + (sorted != nil ? 1 : 0)
  }

  /// What holds of the entries that match though SQLite has their values only roughly.
  var roughConditions: [IndexCondition] {
    (equal.indices.flatMap { IndexCondition.equal($0, equal[$0]) } + range).flatMap(\.roughly)
  }

  /// Whether the keys behind the first `count`, which all documents have the same of, are in a wanted order.
  private static func order(
    of keys: [CollectionIndex.Key], behind count: Int, as wanted: [Query.SortKey]
  ) -> (sorted: Int?, isReversed: Bool) {
    let fixed = Set(keys.prefix(count).map { Field.value($0.path) })
    let open = wanted.filter { !fixed.contains($0.field) }
    let rest = keys.dropFirst(count)
    let wantsDescendingPaths = wanted.last?.isDescending ?? false
    let isReversed = wantsDescendingPaths != (keys.last?.isDescending ?? false)
    guard
      open.count == rest.count,
      zip(open, rest).allSatisfy({ $0.field == .value($1.path) && ($0.isDescending == $1.isDescending) != isReversed })
    else { return (nil, false) }
    return (open.count, isReversed)
  }
}
