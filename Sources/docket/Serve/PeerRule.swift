import ArgumentParser
import DocketStore

/// What a user of this machine may do over the unix socket: `--allow-peer USER=RULE`, such as `backup=read:/` or `1000=admin`.
struct PeerRule: Sendable, Equatable {
  let uid: UInt32
  let rule: AccessRule

  /// - Throws: `ValidationError` where the text is none, or this machine has no such user.
  init(_ text: String) throws {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, !parts[0].isEmpty else {
      throw ValidationError("--allow-peer takes USER=RULE, such as backup=read:/notes/ or 1000=admin, not '\(text)'")
    }
    guard let uid = AccountName.userID(parts[0]) else {
      throw ValidationError("--allow-peer: there is no user '\(parts[0])' on this machine")
    }
    do {
      rule = try AccessRule(parts[1])
    } catch {
      throw ValidationError("--allow-peer: \(error)")
    }
    self.uid = uid
  }
}
