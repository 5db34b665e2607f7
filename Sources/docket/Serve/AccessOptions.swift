import ArgumentParser
import DocketSQLite
import DocketServer
import DocketService
import DocketStore
import Glibc

/// Who may do what, beside the tokens in the database.
struct AccessOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "What everybody may do once there are tokens, such as read:/public/; several rules with spaces between, or the option again.",
      valueName: "rules"))
  var allowAnonymous: [String] = []

  @Option(
    help: ArgumentHelp(
      "What a user of this machine may do over the unix socket once there are tokens, such as backup=read:/; the option again for more. The server's own user and root may do everything.",
      valueName: "user=rule"))
  var allowPeer: [String] = []

  @Option(
    help: "How many requests a second all connections with one token may make; 0: as many as they like. Beyond: 429.")
  var tokenRate = 0

  @Option(help: "The same of all connections from one address; of IPv6, from one network of 64 bits.")
  var addressRate = 0

  @Option(help: "How many tokens may hold at once; one more is not made: 409.")
  var maxTokens = TokenLimits().holding

  @Option(help: "Before a token is known, once there are some: how many bytes a request may have. Beyond: 413.")
  var strangerFrameBytes = ServerLimits().strangerFrameBytes

  @Option(help: "How many seconds it may take from its first byte to its NUL. Beyond: 408.")
  var strangerFrameTimeout = ServerLimits().strangerFrameSeconds

  @Option(help: "After how many silent seconds such a connection is closed.")
  var strangerIdleTimeout = ServerLimits().strangerIdleSeconds

  @Option(
    help: "How many seconds such a connection may last in all, without --allow-anonymous. Beyond: it is closed.")
  var strangerTimeout = ServerLimits().strangerSeconds

  func terms() throws -> AccessTerms {
    let rules = try anonymousRules()
    // The server's own user and root, who may read the file anyway.
    var byUser: [UInt32: [AccessRule]] = [0: [.admin]]
    byUser[geteuid()] = [.admin]
    for peer in try allowPeer.map(PeerRule.init) { byUser[peer.uid, default: []].append(peer.rule) }
    return AccessTerms(
      anonymous: AccessRules(rules), peers: byUser.mapValues { AccessRules($0) },
      tokenRate: tokenRate == 0 ? nil : tokenRate, addressRate: addressRate == 0 ? nil : addressRate)
  }

  private func anonymousRules() throws -> [AccessRule] {
    do {
      return try allowAnonymous.flatMap { text throws(AccessRuleError) in
        try text.split(separator: " ").map { part throws(AccessRuleError) in try AccessRule(String(part)) }
      }
    } catch let error as AccessRuleError {
      throw ValidationError("--allow-anonymous: \(error)")
    }
  }

  func validate() throws {
    let rules = try anonymousRules()
    guard !rules.contains(.admin) else {
      throw ValidationError(
        "--allow-anonymous admin would leave every door open; a server without tokens is that already")
    }
    for text in allowPeer { _ = try PeerRule(text) }
    try check("--token-rate", tokenRate, 0...10_000_000)
    try check("--address-rate", addressRate, 0...10_000_000)
    try check("--max-tokens", maxTokens, 1...1_000_000)
    try check("--stranger-frame-bytes", strangerFrameBytes, 512...(1 << 30))
    try check("--stranger-frame-timeout", strangerFrameTimeout, 0.25...86_400)
    try check("--stranger-idle-timeout", strangerIdleTimeout, 0.25...86_400)
    try check("--stranger-timeout", strangerTimeout, 0.25...86_400)
  }
}
