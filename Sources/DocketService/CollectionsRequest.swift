import DocketStore

/// Which page of the collections that hold documents is asked for.
public struct CollectionsRequest: Sendable {
  /// How many collections it holds at most.
  let limit: Int
  /// It begins behind this name.
  let after: CollectionPath?
  /// What may be told; nil: all.
  var readable: PathPrefixes?

  private static let names = ["count", "limit", "after"]

  /// - Returns: nil where what the collections hold is not asked for.
  init?(_ parameters: ReadParameters) throws(ParameterError) {
    guard parameters.has("count"), try parameters.flag("count") == true else {
      if let other = parameters.names.first(where: { $0 != "count" }) {
        throw ParameterError(
          code: "unknown_parameter",
          detail: Self.names.contains(other)
            ? "'\(other)' goes with count=true, which tells what collections hold; what is set for them is told whole."
            : "What is told of collections has \(Self.names.joined(separator: ", ")); there is no '\(other.shortened)'."
        )
      }
      return nil
    }
    try parameters.checkNames(Self.names, of: "A page of collections")
    limit = try parameters.text("limit").map(PageRequest.limit) ?? PageRequest.defaultLimit
    after = try parameters.text("after").map { text throws(ParameterError) in
      guard let cursor = Cursor(text, in: Self.list) else { throw .invalidCursor }
      return CollectionPath(unchecked: cursor.id)
    }
  }

  /// As the `next` of a page.
  static func cursor(behind collection: CollectionPath) -> String { Cursor(id: collection.description, in: list).text }

  /// What tells its cursors from those of collections.
  private static let list = CollectionPath(unchecked: "/_collections/")
}
