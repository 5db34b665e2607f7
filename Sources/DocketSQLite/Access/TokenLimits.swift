/// How many tokens a database keeps.
///
/// Those that have ended are cleared away whenever one is made, which is when their number grows.
public struct TokenLimits: Sendable {
  /// How many may hold at once; one more is refused as `tooManyTokens`. Default: 10,000.
  public var holding = 10_000
  /// For how long a token is kept that was revoked or has expired, in days of 24 hours. Default: 90.
  public var endedDays = 90
  /// How many of these are kept at most; those go first that ended first. Default: 10,000.
  public var ended = 10_000

  public init() {}
}
