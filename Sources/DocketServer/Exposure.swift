import DocketService
import Logging

/// What holds for an address that others than this machine's users may reach.
public struct Exposure: Sendable, Equatable {
  /// Whether nothing is served as long as everybody may do everything.
  public var requiresTokens: Bool
  /// Whether the log warns where there are tokens and no TLS.
  public var warnsOfCleartext: Bool

  public init(requiresTokens: Bool = false, warnsOfCleartext: Bool = false) {
    self.requiresTokens = requiresTokens
    self.warnsOfCleartext = warnsOfCleartext
  }

  package func check(_ gate: Gate) throws(ListenError) {
    guard !requiresTokens || !gate.isOpen else { throw .everybodyMayDoEverything }
  }

  /// - Parameter way: how they come and go, such as `over HTTP`.
  package func warn(of way: String, _ gate: Gate, tls: ServerTLS?, _ logger: Logger) {
    guard warnsOfCleartext, tls == nil, !gate.isOpen else { return }
    logger.warning(
      "tokens and documents come and go \(way) without TLS, and whoever is on the way can read them: set --tls-certificate and --tls-key, or --allow-cleartext if something else encrypts the way"
    )
  }
}
