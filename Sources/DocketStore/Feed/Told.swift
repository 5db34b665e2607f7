/// What becomes of a document in the eyes of somebody who watches those that match a condition.
public enum Told: String, Sendable {
  case created, updated, deleted, expired
  /// It is still there and no longer matches, or cannot be told to match.
  case left
}

extension Change {
  /// What a watcher is told of a change; nil: nothing.
  ///
  /// Of a document that begins to match it is told what was done to it, `updated` or `created`.
  /// - Parameter filter: what the watcher's documents match; nil: it watches all. The change was read with the document as it
  ///   was before.
  public func told(to filter: Filter?) -> Told? {
    guard let filter else { return Told(kind) }
    if let document, filter.matches(document) { return Told(kind) }
    guard let before, filter.matches(before) else { return nil }
    return document == nil && defect == nil ? Told(kind) : .left
  }
}

extension Told {
  fileprivate init(_ kind: Version.Kind) {
    switch kind {
    case .created: self = .created
    case .updated: self = .updated
    case .deleted: self = .deleted
    case .expired: self = .expired
    }
  }
}
