import DocketStore

/// Where in an index to look, in the order of what is looked for: each a run of entries that SQLite finds by one search.
///
/// Behind a place in the order come the entries that are equal in all keys and behind it by their id; then those that are
/// equal in all keys but the last and behind it in that; and so on.
struct IndexSegments {
  let conditions: [[IndexCondition]]

  /// - Parameter after: the place behind which to begin; only for a plan that has the wanted order.
  init(_ plan: IndexPlan, _ order: [Query.SortKey], after: Query.Position?) {
    let equal = plan.equal.indices.flatMap { IndexCondition.equal($0, plan.equal[$0]) }
    guard plan.alternatives.isEmpty else {
      conditions = plan.alternatives.map { equal + IndexCondition.equal(plan.equal.count, $0) }
      return
    }
    guard let after, let sorted = plan.sorted else {
      conditions = [equal + plan.range]
      return
    }
    let keys = plan.schema.index.keys
    let open = plan.equal.count..<plan.equal.count + sorted
    let values = open.map { key in
      order.firstIndex { $0.field == .value(keys[key].path) }.map { after.values[$0] } ?? .missing
    }
    var prefix = equal
    /// Those that differ first in a key, the last such key first.
    var behind: [[[IndexCondition]]] = []
    var hasTies = true
    for (key, value) in zip(open, values) {
      let isDescending = keys[key].isDescending != plan.isReversed
      let beyond: IndexCondition.Relation = isDescending ? .less : .greater
      let rank = IndexBound.integer(Int64(value.rank))
      var segments: [[IndexCondition]] = []
      let isRough = value.hasBound && value.exactBound == nil
      if let bound = isDescending ? value.upperBound : value.lowerBound {
        let relation: IndexCondition.Relation =
          isRough ? (isDescending ? .lessOrEqual : .greaterOrEqual) : beyond
        segments.append(
          prefix + [IndexCondition(.rank(key), .equal, rank), IndexCondition(.value(key), relation, bound)])
      }
      segments.append(prefix + [IndexCondition(.rank(key), beyond, rank)])
      behind.append(segments)
      // What is equal only roughly is in the segment that begins there.
      if isRough {
        hasTies = false
        break
      }
      prefix += IndexCondition.equal(key, value)
    }
    let wantsDescendingIDs = order.last?.isDescending ?? false
    // A place in another collection is before or behind all that are equal in the keys.
    let isHere = after.path.collection == plan.schema.collection
    let beyond = IndexCondition(.id, wantsDescendingIDs ? .less : .greater, .text(Array(after.path.id.utf8)))
    let ties = hasTies ? [prefix + (isHere ? [beyond] : [])] : []
    conditions = (ties + behind.reversed().flatMap { $0 }).map { $0 + plan.range }
  }
}
