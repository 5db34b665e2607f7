import DocketStore

/// Which part of a collection is asked for.
public struct PageRequest: Sendable, Equatable {
  public static let defaultLimit = 100
  public static let maximumLimit = 1000

  public let collection: CollectionPath
  /// How many documents a page holds at most.
  public let limit: Int
  /// The page begins behind this id.
  public let after: String?
  /// Of a later page of the past: the revision of which the first page was.
  public let pinned: Revision?
}

/// Why a request's parameters do not fit: a stable code, what is wrong and how to mend it.
public struct ParameterError: Error, Equatable, Sendable {
  public let code: String
  public let detail: String
}

extension ParameterError {
  static var invalidCursor: ParameterError {
    ParameterError(
      code: "invalid_cursor", detail: "'after' must be the 'next' of an earlier page of this very list, unchanged.")
  }
}

extension PageRequest {
  /// - Parameter parameters: `limit`, `after` and `asOf`.
  /// - Returns: the page, and the moment in the past of which it is to be.
  static func read(
    collection: CollectionPath, _ parameters: ReadParameters
  ) throws(ParameterError) -> (PageRequest, AsOf?) {
    let moment = try parameters.text("asOf").map { text throws(ParameterError) in try AsOf(text, parameter: "asOf") }
    let cursor = try parameters.text("after").map { text throws(ParameterError) in
      guard let cursor = Cursor(text, in: collection, isOfPast: moment != nil) else { throw .invalidCursor }
      return cursor
    }
    if case .revision(let revision) = moment, let pinned = cursor?.revision, pinned != revision { throw .invalidCursor }
    let page = PageRequest(
      collection: collection, limit: try parameters.text("limit").map(Self.limit) ?? defaultLimit, after: cursor?.id,
      pinned: cursor?.revision)
    return (page, moment)
  }

  static func limit(_ text: String) throws(ParameterError) -> Int {
    guard let limit = Int(text), (1...maximumLimit).contains(limit) else {
      throw ParameterError(
        code: "invalid_limit", detail: "'limit' must be a whole number from 1 to \(maximumLimit).")
    }
    return limit
  }
}
