import DocketStore

/// Which part of the list of tokens is asked for.
public struct TokenPageRequest: Sendable, Equatable {
  /// How many tokens it holds at most.
  let limit: Int
  /// It begins behind this place.
  let after: TokenPlace?

  private static let names = ["limit", "after"]

  init(_ parameters: ReadParameters) throws(ParameterError) {
    try parameters.checkNames(Self.names, of: "A page of tokens")
    limit = try parameters.text("limit").map(PageRequest.limit) ?? PageRequest.defaultLimit
    after = try parameters.text("after").map { text throws(ParameterError) in
      guard let place = TokenPlace(cursor: text) else { throw .invalidCursor }
      return place
    }
  }
}

extension TokenPlace {
  /// As the `next` of a page.
  var cursor: String { Cursor(id: id, in: Self.list, asOf: Revision(created.milliseconds)).text }

  /// nil for what is no `next` of a page of tokens.
  fileprivate init?(cursor: String) {
    guard let cursor = Cursor(cursor, in: Self.list, isOfPast: true), let created = cursor.revision else { return nil }
    self.init(created: Timestamp(milliseconds: created.rawValue), id: cursor.id)
  }

  /// What tells its cursors from those of collections.
  private static let list = CollectionPath(unchecked: "/_tokens/")
}
