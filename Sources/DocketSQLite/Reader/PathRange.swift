import DocketStore

/// A run of documents in the order of their paths: collection, then id, as bytes. In SQL:
/// `(collection, id) >= (lower) AND (collection, id) < (upper)`.
struct PathRange {
  private let lower: (collection: [UInt8], id: [UInt8])
  private let upper: (collection: [UInt8], id: [UInt8])

  /// - Parameters:
  ///   - ids: of one collection, the run of ids; nil: all.
  ///   - after: begins behind this path, whether or not there is such a document; nil begins at the start.
  init(_ scope: Query.Scope, ids: IDRuns.Run? = nil, after: DocumentPath? = nil) {
    let start: (collection: [UInt8], id: [UInt8])
    switch scope {
    case .collection(let collection):
      let name = Array(collection.description.utf8)
      start = (name, ids?.lower ?? [])
      // No name holds a control character, so nothing is between.
      upper = ids?.upper.map { (name, $0) } ?? (name + [1], [])
    case .tree(let collection):
      let name = Array(collection.description.utf8)
      start = (name, [])
      // Behind the slash at the end comes the digit 0.
      upper = (name.dropLast() + Array("0".utf8), [])
    case .everything:
      start = (Array("/".utf8), [])
      upper = (Array("0".utf8), [])
    }
    let place = after.map {
      (collection: Array($0.collection.description.utf8), id: IDRuns.behind(Array($0.id.utf8)))
    }
    if let place, Self.precedes(start, place) { lower = place } else { lower = start }
  }

  private static func precedes(
    _ a: (collection: [UInt8], id: [UInt8]), _ b: (collection: [UInt8], id: [UInt8])
  ) -> Bool {
    a.collection == b.collection
      ? a.id.lexicographicallyPrecedes(b.id) : a.collection.lexicographicallyPrecedes(b.collection)
  }

  static let sql = "(collection, id) >= (?1, ?2) AND (collection, id) < (?3, ?4)"

  /// Binds the first four parameters.
  func bind(to statement: Statement) {
    for (parameter, text) in [lower.collection, lower.id, upper.collection, upper.id].enumerated() {
      text.withUnsafeBytes { statement.bind(copying: $0, at: Int32(parameter + 1)) }
    }
  }
}
