import DocketWire

/// Which requests of a connection bear the token. A connection keeps the token it was sent last, so the first one does; and the
/// one behind each answer that the token was not taken, since that leaves the connection without one.
struct TokenDelivery {
  static let header = "Authorization"

  private let credentials: String?
  private var isDue = true

  init(token: String?) {
    credentials = token.map { "Bearer \($0)" }
  }

  /// A connection has begun, which knows no token.
  mutating func begin() { isDue = true }

  /// Adds the token to the headers of the next request, where it is due. A request that brings a token of its own leaves that
  /// one to its connection, and the next gets this one again.
  mutating func complete(_ headers: inout Headers?) {
    guard let credentials else { return }
    guard headers?[Self.header] == nil else {
      isDue = true
      return
    }
    guard isDue else { return }
    isDue = false
    headers = headers ?? Headers()
    headers?.append(Self.header, credentials)
  }

  mutating func answered(_ answer: Answer) {
    if answer.code == Status.unauthorized.rawValue { isDue = true }
  }
}
