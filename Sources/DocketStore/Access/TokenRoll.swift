/// The tokens of a store at one moment, as a gate needs to know them.
public struct TokenRoll: Sendable, Equatable {
  /// Raised by each change of tokens, whoever makes it. 0: there has never been one. nil: that cannot be told.
  public let changes: Int64?
  /// Those that are not revoked, though they may have expired.
  public let tokens: [AccessToken]

  public init(changes: Int64?, tokens: [AccessToken]) {
    self.changes = changes
    self.tokens = tokens
  }

  /// Whether there has never been a token, so that everybody may do everything.
  public var isOpen: Bool { changes == 0 && tokens.isEmpty }
}
