import DocketStore

/// Where tokens are kept: a running server, or the file of a database.
protocol TokenKeeper {
  /// What a person calls it.
  var place: String { get }

  /// Makes a token.
  /// - Throws: `CommandFailure`.
  func add(_ order: TokenOrder) async throws -> (token: ListedToken, text: String)

  /// Revokes the token of this name or id.
  /// - Returns: whether there was one that was not revoked.
  /// - Throws: `CommandFailure`.
  func revoke(_ nameOrID: String) async throws -> Bool

  /// Whether there is none, and as far as can be told never was.
  /// - Throws: `CommandFailure`.
  func isOpen() async throws -> Bool

  /// All tokens that there are and were, the oldest first.
  /// - Throws: `CommandFailure`.
  func list() async throws -> [ListedToken]
}

/// A token that is to be made.
struct TokenOrder: Equatable, Sendable {
  let name: String
  let rules: [AccessRule]
  /// nil: it does not expire.
  let lifetime: DurationText?
}
