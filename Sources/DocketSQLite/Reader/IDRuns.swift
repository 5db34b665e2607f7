import DocketStore

/// Which ids a filter leaves of one collection, as runs in the order of the ids; so that they are searched as the collection
/// lies, and no other document is looked at.
struct IDRuns {
  /// From `lower` on, and before `upper`, as bytes.
  struct Run: Equatable {
    let lower: [UInt8]
    /// nil: to the end.
    let upper: [UInt8]?
  }

  let runs: [Run]
  /// Whether each run is one id.
  let arePoints: Bool

  /// nil where the filter leaves any id.
  init?(_ filter: Filter) {
    let tests = filter.necessaryTests.compactMap { field, test in field == .id ? test : nil }
    var lower: [UInt8] = []
    var upper: [UInt8]?
    var points: [[UInt8]]?
    var isBounded = false
    func raise(_ bound: [UInt8]) { lower = max(lower, bound) }
    func cut(_ bound: [UInt8]) { upper = upper.map { min($0, bound) } ?? bound }
    for test in tests {
      switch test {
      case .equal(.string(let id)): points = Self.common(points, [id])
      case .oneOf(let values):
        points = Self.common(points, values.compactMap { if case .string(let id) = $0 { id } else { nil } })
      case .less(.string(let id)): cut(id)
      case .lessOrEqual(.string(let id)): cut(Self.behind(id))
      case .greater(.string(let id)): raise(Self.behind(id))
      case .greaterOrEqual(.string(let id)): raise(id)
      case .prefix(let prefix) where !prefix.isEmpty:
        raise(prefix)
        // No byte of UTF-8 is the greatest one.
        cut(prefix.dropLast() + [prefix[prefix.count - 1] + 1])
      default: continue
      }
      isBounded = true
    }
    guard isBounded else { return nil }
    arePoints = points != nil
    if let points {
      runs = points.filter { id in id >= lower && upper.map { id < $0 } ?? true }
        .map { Run(lower: $0, upper: Self.behind($0)) }
    } else {
      runs = upper.map { lower < $0 } ?? true ? [Run(lower: lower, upper: upper)] : []
    }
  }

  /// What all ids behind one are not before: no id holds a control character.
  static func behind(_ id: [UInt8]) -> [UInt8] { id + [1] }

  /// In order, each once.
  private static func common(_ some: [[UInt8]]?, _ others: [[UInt8]]) -> [[UInt8]] {
    let others = Set(others)
    return (some.map { others.intersection($0) } ?? others).sorted { $0.lexicographicallyPrecedes($1) }
  }
}

private func max(_ a: [UInt8], _ b: [UInt8]) -> [UInt8] { a.lexicographicallyPrecedes(b) ? b : a }
private func min(_ a: [UInt8], _ b: [UInt8]) -> [UInt8] { b.lexicographicallyPrecedes(a) ? b : a }
private func < (_ a: [UInt8], _ b: [UInt8]) -> Bool { a.lexicographicallyPrecedes(b) }
private func >= (_ a: [UInt8], _ b: [UInt8]) -> Bool { !a.lexicographicallyPrecedes(b) }
