import DocketStore

/// What an operator has set about who gets in.
public struct AccessTerms: Sendable {
  /// What everybody may do, once there are tokens.
  public var anonymous: AccessRules
  /// What the processes of these users may do over a Unix socket, once there are tokens.
  public var peers: [UInt32: AccessRules]
  /// How many requests a second all connections with one token may make; nil: as many as they like.
  public var tokenRate: Int?
  /// The same of all connections from one address.
  public var addressRate: Int?

  public init(
    anonymous: AccessRules = .none, peers: [UInt32: AccessRules] = [:], tokenRate: Int? = nil, addressRate: Int? = nil
  ) {
    self.anonymous = anonymous
    self.peers = peers
    self.tokenRate = tokenRate
    self.addressRate = addressRate
  }
}
