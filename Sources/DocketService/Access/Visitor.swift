import DocketStore
import DocketWire
import NIOCore

/// Who is at the other end of a connection, as far as it has shown, and what it may do.
///
/// A connection keeps the token that it sent last. It belongs to the connection's event loop.
public struct Visitor {
  private let gate: Gate
  private let address: VisitorAddress
  private let user: UInt32?
  private let allowance: RequestAllowance?
  private var grant: Grant
  /// What the request's `Authorization` was that the grant was given for; nil where it was given without.
  private var credential: String?
  /// An `Authorization` that came while the gate was open, to be looked at once it is shut; only one that shows the text of a
  /// token, so that nobody has anything else kept.
  private(set) var unreadCredential: String?

  /// - Parameter user: the user whose process it is, on a Unix socket.
  public init(_ gate: Gate, from address: VisitorAddress, user: UInt32? = nil) {
    self.gate = gate
    self.address = address
    self.user = user
    grant = gate.grantWithoutToken(user: user)
    allowance = gate.terms.addressRate == nil ? nil : gate.addresses.allowance(of: address, now: gate.time)
  }

  /// Somebody whom nothing is known of, on a server that is open to all.
  public init() {
    self.init(Gate(), from: .unknown)
  }

  /// Whether it has shown nothing by which it is known.
  public var isStranger: Bool {
    let current = grant.isOver ? gate.grantWithoutToken(user: user) : grant
    return (credential == nil || grant.isOver) && !current.rules.isAdmin
      && (user == nil || current.rules == gate.terms.anonymous)
  }

  /// Whether it has shown nothing that holds, where nothing is open to strangers.
  public var owesToken: Bool { isStranger && unreadCredential == nil && gate.terms.anonymous == .none }

  /// Whether it may read, with no more ado, what is stored under a path.
  /// - Parameter path: of a document, not percent-encoded, or any other text.
  public func mayRead(atOnce path: UnsafeRawBufferPointer) -> Bool {
    !grant.isOver && grant.rules.readable.cover(path) && !gate.hasRates
  }

  /// What a request comes to: what it asks for, as far as that is allowed; or why not.
  public mutating func operation(for request: Request, by router: Router) -> Operation {
    renew()
    // First of all, so that tokens that are not taken count as well.
    if let refusal = countForAddress() { return refusal }
    if let refusal = identify(by: request.headers) { return refusal }
    if let refusal = countForToken() { return refusal }
    // Nothing is told to those who may do nothing.
    var operation = router.operation(for: request)
    if !grant.rules.isAdmin {
      switch operation.verdict(by: grant.rules) {
      case .allowed: break
      case .changed(let changed): operation = changed
      case .refused(let lack): return refusal(lack)
      }
    }
    if case .reportAccess = operation { return .answer(.access(isOpen: gate.isOpen, grant.rules, token: grant.token)) }
    // It ends with what it was begun with, whatever its connection shows later.
    if case .watch(var watch) = operation {
      watch.grant = grant
      operation = .watch(watch)
    }
    return operation
  }

  /// Counts as a request what is none: a frame that cannot be read, say. Returns what it is answered where there were too many.
  public func countWhatIsNoRequest() -> Operation? { countForAddress() ?? countForToken() }

  /// Looks at the `Authorization` of a request of which no more is known yet. Returns what it is answered if that is not taken.
  public mutating func identify(by headers: Headers?) -> Operation? {
    guard let value = headers?["Authorization"], value != credential else { return nil }
    guard !gate.isOpen else {
      unreadCredential = value.bearerToken.flatMap(TokenText.init) == nil ? nil : value
      return nil
    }
    if take(value) { return nil }
    credential = nil
    grant = gate.grantWithoutToken(user: user)
    let delay = gate.addresses.noteFailure(from: address, now: gate.time)
    return delay == 0 ? .answer(.invalidToken) : .answerLater(.invalidToken, milliseconds: delay)
  }

  /// Gives up what has ended.
  private mutating func renew() {
    guard grant.isOver else { return }
    credential = nil
    grant = gate.grantWithoutToken(user: user)
    // Who has shown a token before it was asked for need not show it again.
    if let unreadCredential { _ = take(unreadCredential) }
    unreadCredential = nil
  }

  /// Takes the token that an `Authorization` shows, if it holds.
  private mutating func take(_ value: String) -> Bool {
    guard let grant = value.bearerToken.flatMap({ gate.grant(for: $0) }) else { return false }
    self.grant = grant
    credential = value
    return true
  }

  private func countForAddress() -> Operation? {
    allowance?.take(now: gate.time).map { $0.operation(flag: "--address-rate") }
  }

  private func countForToken() -> Operation? {
    grant.allowance?.take(now: gate.time).map { $0.operation(flag: "--token-rate") }
  }

  private func refusal(_ lack: Lack) -> Operation {
    guard credential != nil, let token = grant.token else { return .answer(.unauthorized) }
    return .answer(.forbidden(token: token.name, lack))
  }
}

extension RequestAllowance.Refusal {
  fileprivate func operation(flag: String) -> Operation {
    let response = Response.rateLimited(flag, seconds)
    return isLate ? .answerLater(response, milliseconds: 1000) : .answer(response)
  }
}

extension String {
  /// No `Authorization` that shows a token is longer, in bytes. What is longer is not looked at, and not kept.
  private static let maximumBearerBytes = 256

  /// The token of `Bearer TOKEN` (RFC 6750, section 2.1).
  fileprivate var bearerToken: Substring? {
    guard utf8.count <= Self.maximumBearerBytes else { return nil }
    let parts = split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
    return parts[1]
  }
}
