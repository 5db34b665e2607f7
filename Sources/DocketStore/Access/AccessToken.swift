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

/// Where a token stands in the list of all, of which the oldest is the first.
public struct TokenPlace: Sendable, Equatable {
  public let created: Timestamp
  public let id: String

  public init(created: Timestamp, id: String) {
    self.created = created
    self.id = id
  }
}

extension AccessToken {
  public var place: TokenPlace { TokenPlace(created: created, id: id) }
}
