import DocketStore
import DocketWire
import NIOCore

/// What can be done with tokens.
public enum TokenOperation: Sendable {
  case create(TokenRequest)
  case readPage(TokenPageRequest)
  /// The one of this name or id.
  case revoke(String)
}

/// A token that somebody asks for.
public struct TokenRequest: Sendable, Equatable {
  public let name: String
  public let rules: AccessRules
  /// nil: it does not expire.
  public let lifetimeSeconds: Int64?

  /// The longest that a token lives, unless it lives for ever: 10 years.
  public static let maximumSeconds: Int64 = 315_576_000

  /// - Throws: with what is wrong, and how to mend it.
  public init(name: String, rules: [String], lifetimeSeconds: Int64?) throws(TokenRequestError) {
    guard (1...AccessToken.maximumNameBytes).contains(name.utf8.count),
      name.utf8.allSatisfy({ Self.nameLetters.contains($0) })
    else {
      throw TokenRequestError(
        "A token's name has 1 to \(AccessToken.maximumNameBytes) characters, each a letter of ASCII, a digit, or one of . _ -"
      )
    }
    guard (1...AccessRules.maximumCount).contains(rules.count) else {
      throw TokenRequestError("A token has 1 to \(AccessRules.maximumCount) rules, such as read:/notes/")
    }
    do {
      self.rules = AccessRules(try rules.map { rule throws(AccessRuleError) in try AccessRule(rule) })
    } catch {
      throw TokenRequestError(error.description)
    }
    if let lifetimeSeconds, !(1...Self.maximumSeconds).contains(lifetimeSeconds) {
      throw TokenRequestError(
        "A token lives for 1 to \(Self.maximumSeconds) seconds (10 years), or for ever where nothing is said of it")
    }
    self.name = name
    self.lifetimeSeconds = lifetimeSeconds
  }

  private static let nameLetters = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-".utf8)

  /// The token, and its text.
  /// - Parameter now: by which it will expire.
  public func make(now: Timestamp) -> (token: NewToken, text: String) {
    let (text, id, digest) = TokenText.make()
    let expires = lifetimeSeconds.map { Timestamp(milliseconds: now.milliseconds + 1000 * $0) }
    return (NewToken(id: id, name: name, rules: rules, digest: digest, expires: expires), text)
  }
}

/// Why there can be no such token: one line that says how to mend it, without a full stop.
public struct TokenRequestError: Error, Equatable, CustomStringConvertible {
  public let description: String

  init(_ description: String) {
    self.description = description
  }
}

extension TokenRequest {
  /// Reads `{"name": "ci", "allow": ["read:/notes/"], "expiresIn": 3600}`.
  init(request data: ByteBuffer?) throws(TokenRequestError) {
    guard let members = data?.jsonMembers else {
      throw TokenRequestError(
        #"A token is asked for with {"name": "ci", "allow": ["read:/notes/"], "expiresIn": 3600}"#)
    }
    var name: String?
    var rules: [String]?
    var lifetimeSeconds: Int64?
    for (member, value) in members {
      switch member {
      case "name": name = value.isJSONString ? value.jsonText : nil
      case "allow":
        rules = value.jsonElements.flatMap { elements in
          let texts = elements.compactMap { $0.isJSONString ? $0.jsonText : nil }
          return texts.count == elements.count ? texts : nil
        }
        guard rules != nil else { throw TokenRequestError("'allow' is an array of texts, such as [\"read:/notes/\"]") }
      case "expiresIn":
        lifetimeSeconds = Int64(String(buffer: value))
        guard lifetimeSeconds != nil else { throw TokenRequestError("'expiresIn' is a whole number of seconds") }
      default:
        throw TokenRequestError("A token has 'name', 'allow' and 'expiresIn'; there is no '\(member.shortened)'")
      }
    }
    guard let name else { throw TokenRequestError("A token needs a 'name', which is a text") }
    guard let rules else { throw TokenRequestError("A token needs 'allow', an array such as [\"read:/notes/\"]") }
    try self.init(name: name, rules: rules, lifetimeSeconds: lifetimeSeconds)
  }
}
