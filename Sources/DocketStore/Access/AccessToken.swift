/// A token as the store keeps it: what it allows, and by what it is known again. The secret itself is nowhere.
public struct AccessToken: Sendable, Equatable {
  /// Stands in the token's text and is no secret.
  public let id: String
  /// What people call it; of all tokens that are not revoked only one has it.
  public let name: String
  public let rules: AccessRules
  /// SHA-256 of the token's secret bytes.
  public let digest: [UInt8]
  public let created: Timestamp
  /// nil: never.
  public let expires: Timestamp?
  /// nil: it is not.
  public let revoked: Timestamp?

  /// The longest name, in bytes.
  public static let maximumNameBytes = 64

  public init(
    id: String, name: String, rules: AccessRules, digest: [UInt8], created: Timestamp, expires: Timestamp?,
    revoked: Timestamp?
  ) {
    self.id = id
    self.name = name
    self.rules = rules
    self.digest = digest
    self.created = created
    self.expires = expires
    self.revoked = revoked
  }
}

/// A token that is to be kept from now on.
public struct NewToken: Sendable, Equatable {
  public let id: String
  public let name: String
  public let rules: AccessRules
  public let digest: [UInt8]
  public let expires: Timestamp?

  public init(id: String, name: String, rules: AccessRules, digest: [UInt8], expires: Timestamp?) {
    self.id = id
    self.name = name
    self.rules = rules
    self.digest = digest
    self.expires = expires
  }
}

/// Reads and changes of tokens. Tokens that were revoked or have expired are kept, so that it can be told what they were; where
/// there has ever been one, nobody gets in without.
public protocol TokenAccess: AnyObject {
  /// Keeps a token. Fails with `tokenExists` where one that is not revoked has its name.
  func add(_ token: NewToken, completion: @escaping (Result<AccessToken, StoreError>) -> Void)

  /// Revokes the token of this name or id; nil where there is none that is not revoked.
  func revokeToken(_ nameOrID: String, completion: @escaping (Result<AccessToken?, StoreError>) -> Void)

  /// All tokens, the oldest first.
  func tokens(completion: @escaping (Result<[AccessToken], StoreError>) -> Void)
}
