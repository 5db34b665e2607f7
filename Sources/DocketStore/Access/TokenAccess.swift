/// Reads and changes of tokens.
///
/// Where there has ever been one nobody gets in without, whatever became of it. Tokens that were revoked or have expired are kept
/// for a while, so that it can be told what they were.
public protocol TokenAccess: AnyObject {
  /// Keeps a token. Fails with `tokenExists` where one that is not revoked has its name, and with `tooManyTokens` where as many
  /// hold as may.
  func add(_ token: NewToken, completion: @escaping (Result<AccessToken, StoreError>) -> Void)

  /// Revokes the token of this name or id; nil where there is none that is not revoked.
  func revokeToken(_ nameOrID: String, completion: @escaping (Result<AccessToken?, StoreError>) -> Void)

  /// Tokens that there are and were, the oldest first.
  /// - Parameters:
  ///   - after: the list begins behind this place; nil: with the first.
  ///   - limit: how many it holds at most.
  func tokens(after: TokenPlace?, limit: Int, completion: @escaping (Result<[AccessToken], StoreError>) -> Void)
}
