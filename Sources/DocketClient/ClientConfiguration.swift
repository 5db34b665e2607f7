/// How a client waits, repeats and holds back.
public struct ClientConfiguration: Sendable {
  /// How long one attempt to connect may take.
  public var connectTimeout: Duration
  /// How long a call may take in all, repetitions included.
  public var requestTimeout: Duration
  /// How many requests may be on their way without an answer. Further calls wait their turn.
  public var maximumInFlight: Int
  /// How often a request is tried in all, attempts to connect included. One that was sent is tried again only if it has
  /// an idempotency key or changes nothing the second time. By the default a server may be away for some seconds.
  public var maximumAttempts: Int
  /// Whether writes are sent with an `Idempotency-Key`, so that they can be tried again, whatever they do. The server
  /// keeps its answers for that, which costs it something.
  public var usesIdempotencyKeys: Bool
  /// The longest pause before connecting again. It starts at a twentieth of a second and doubles with each failure.
  public var maximumPause: Duration
  /// The longest answer that is taken, in bytes.
  public var maximumAnswerBytes: Int
  /// How TLS is spoken; nil: not at all.
  public var tls: ClientTLS?
  /// The access token that each connection shows with its first request; nil: none.
  public var token: String? {
    get { secret?.text }
    set { secret = newValue.map(Secret.init(text:)) }
  }
  private var secret: Secret?

  public init(
    connectTimeout: Duration = .seconds(5), requestTimeout: Duration = .seconds(30), maximumInFlight: Int = 128,
    maximumAttempts: Int = 10, usesIdempotencyKeys: Bool = true, maximumPause: Duration = .seconds(2),
    maximumAnswerBytes: Int = 65 << 20, tls: ClientTLS? = nil, token: String? = nil
  ) {
    precondition(maximumInFlight > 0 && maximumAttempts > 0 && maximumAnswerBytes > 0)
    self.connectTimeout = connectTimeout
    self.requestTimeout = requestTimeout
    self.maximumInFlight = maximumInFlight
    self.maximumAttempts = maximumAttempts
    self.usesIdempotencyKeys = usesIdempotencyKeys
    self.maximumPause = maximumPause
    self.maximumAnswerBytes = maximumAnswerBytes
    self.tls = tls
    self.token = token
  }
}

/// A text that is shown to nobody: neither where its owner is described, nor where it is taken apart by `dump`.
private struct Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  let text: String

  var description: String { "(not shown)" }
  var debugDescription: String { description }
  var customMirror: Mirror { Mirror(self, children: []) }
}
