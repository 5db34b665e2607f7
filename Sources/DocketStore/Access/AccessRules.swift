/// All that somebody may do.
public struct AccessRules: Sendable, Equatable {
  public let rules: [AccessRule]
  public let readable: PathPrefixes
  public let writable: PathPrefixes
  public let isAdmin: Bool
  public let seesStats: Bool

  public static let none = AccessRules([])
  public static let everything = AccessRules([.admin])
  /// How many there may be.
  public static let maximumCount = 100

  public init(_ rules: [AccessRule]) {
    self.rules = rules
    let isAdmin = rules.contains(.admin)
    self.isAdmin = isAdmin
    seesStats = isAdmin || rules.contains(.stats)
    readable =
      isAdmin ? .everything : PathPrefixes(rules.compactMap { if case .read(let prefix) = $0 { prefix } else { nil } })
    writable =
      isAdmin ? .everything : PathPrefixes(rules.compactMap { if case .write(let prefix) = $0 { prefix } else { nil } })
  }
}
