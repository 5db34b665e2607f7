import DocketStore
import NIOConcurrencyHelpers
import NIOCore

/// Who gets in, of a whole server: the tokens that there are, and what is allowed without one.
///
/// As long as there has never been a token it is open. Then it is shut for good, whatever becomes of the tokens.
public final class Gate: Sendable {
  private struct State {
    var isOpen = true
    /// By the ids of their tokens: those that hold.
    var grants: [String: Grant] = [:]
    /// Of those without a token.
    var anonymous = Grant(.everything)
    var peers: [UInt32: Grant] = [:]
    /// Of which state of the tokens the grants are, and of which time.
    var known: (changes: Int64?, wall: Timestamp)?
    /// When the first of the grants expires.
    var nextEnd = Timestamp.distantFuture
    var endings = 0

    mutating func end(_ grant: Grant) {
      grant.end()
      endings += 1
    }
  }

  public let terms: AccessTerms
  let addresses: AddressBook
  private let state = NIOLockedValueBox(State())
  private let now: @Sendable () -> NIODeadline

  public init(terms: AccessTerms = AccessTerms(), now: @escaping @Sendable () -> NIODeadline = { .now() }) {
    self.terms = terms
    self.now = now
    addresses = AddressBook(rate: terms.addressRate)
  }

  /// Whether nothing can be done without a token, so that who shows none has no business here.
  public var isForTokensOnly: Bool { !isOpen && terms.anonymous == .none }

  /// How often what somebody was allowed has ended: who was known before may be a stranger now.
  public var endings: Int { state.withLockedValue(\.endings) }

  /// Whether everybody may do everything.
  public var isOpen: Bool { state.withLockedValue(\.isOpen) }

  /// Whether requests are counted.
  var hasRates: Bool { terms.tokenRate != nil || terms.addressRate != nil }

  var time: NIODeadline { now() }

  // MARK: What changes

  /// Takes notice of the tokens that there are, by a clock. Where they have not changed since the last time this costs nothing.
  public func update(_ roll: TokenRoll, wall: Timestamp) {
    state.withLockedValue { state in
      let known = state.known
      state.known = (roll.changes, wall)
      // A clock that goes back brings tokens to life again.
      if let known, let changes = known.changes, changes == roll.changes, wall >= known.wall {
        return Self.endExpired(&state, wall)
      }
      if state.isOpen, !roll.isOpen { shut(&state) }
      var grants: [String: Grant] = [:]
      for token in roll.tokens where token.expires ?? .distantFuture > wall {
        if let grant = state.grants[token.id], grant.token == token {
          grants[token.id] = grant
        } else {
          grants[token.id] = makeGrant(token)
        }
      }
      for (id, grant) in state.grants where grants[id] !== grant { state.end(grant) }
      state.grants = grants
      state.nextEnd = Self.firstEnd(of: grants)
    }
  }

  /// Ends what has expired, by a clock.
  func endExpired(wall: Timestamp) {
    state.withLockedValue { Self.endExpired(&$0, wall) }
  }

  private static func endExpired(_ state: inout State, _ wall: Timestamp) {
    guard state.nextEnd <= wall else { return }
    for (id, grant) in state.grants where grant.token?.expires ?? .distantFuture <= wall {
      state.end(grant)
      state.grants[id] = nil
    }
    state.nextEnd = firstEnd(of: state.grants)
  }

  private static func firstEnd(of grants: [String: Grant]) -> Timestamp {
    grants.values.lazy.compactMap { $0.token?.expires }.min() ?? .distantFuture
  }

  private func shut(_ state: inout State) {
    state.isOpen = false
    state.end(state.anonymous)
    state.anonymous = Grant(terms.anonymous)
    state.peers = terms.peers.mapValues { Grant($0.joined(with: terms.anonymous)) }
  }

  private func makeGrant(_ token: AccessToken) -> Grant {
    Grant(
      token.rules.joined(with: terms.anonymous), token: token,
      allowance: terms.tokenRate.map { RequestAllowance(perSecond: $0, now: now()) })
  }

  // MARK: What is asked

  /// What somebody may do who has shown no token.
  /// - Parameter user: the user whose process it is, on a Unix socket.
  func grantWithoutToken(user: UInt32?) -> Grant {
    state.withLockedValue { state in
      user.flatMap { state.peers[$0] } ?? state.anonymous
    }
  }

  /// What the bearer of a token may do; nil where it is not taken. It takes as long for one that is wrong as for one that is
  /// unknown.
  func grant(for text: Substring) -> Grant? {
    guard let token = TokenText(text) else { return nil }
    let candidate = candidate(for: token.id)
    let isRight = token.matches(candidate.digest)
    return isRight ? candidate.grant : nil
  }

  /// With what the secret of a token is compared: where there is none with this id, with a digest as well.
  func candidate(for id: String) -> (grant: Grant?, digest: [UInt8]) {
    let grant = state.withLockedValue { $0.grants[id] }
    return (grant, grant?.token?.digest ?? Self.nobodysDigest)
  }

  /// No secret has it, as far as anybody knows.
  private static let nobodysDigest = [UInt8](repeating: 0, count: 32)
}

extension Timestamp {
  fileprivate static let distantFuture = Timestamp(milliseconds: .max)
}

extension AccessRules {
  fileprivate func joined(with other: AccessRules) -> AccessRules { AccessRules(rules + other.rules) }
}
