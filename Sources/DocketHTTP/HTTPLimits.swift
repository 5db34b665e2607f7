/// What one HTTP client, and all of them, may take of the server. Each limit has a flag of `docket serve`.
public struct HTTPLimits: Sendable, Equatable {
  /// How many connections are served at once; a further one is answered 503 and closed.
  public var connections: Int
  /// How long a connection may be silent between requests.
  public var idleSeconds: Double
  /// How long a request may take from its first byte to its last.
  public var requestSeconds: Double
  /// The most bytes of a request's headers.
  public var headerBytes: Int
  /// How many bytes a body may have before it is known whose it is, once there are tokens.
  public var strangerBodyBytes: Int
  /// How long such a request may take, how long such a connection may be silent, and how long it may last.
  public var strangerRequestSeconds: Double
  public var strangerIdleSeconds: Double
  public var strangerSeconds: Double
  /// A stream of events that has nothing to tell sends a comment so often, by which those are noticed that have gone.
  public var commentSeconds: Double
  /// How long clients have to take their answers when the server ends.
  public var shutdownSeconds: Double

  /// From how long on the log tells of a request, in milliseconds; nil: it never does.
  public var slowRequestMilliseconds: Int?

  public init(
    connections: Int = 1_000, idleSeconds: Double = 300, requestSeconds: Double = 10, headerBytes: Int = 32 << 10,
    strangerBodyBytes: Int = 16 << 10, strangerRequestSeconds: Double = 2, strangerIdleSeconds: Double = 10,
    strangerSeconds: Double = 30, commentSeconds: Double = 15, shutdownSeconds: Double = 3,
    slowRequestMilliseconds: Int? = nil
  ) {
    precondition(connections > 0 && idleSeconds > 0 && requestSeconds > 0 && headerBytes > 0 && shutdownSeconds > 0)
    precondition(
      strangerBodyBytes > 0 && strangerRequestSeconds > 0 && strangerIdleSeconds > 0 && strangerSeconds > 0
        && commentSeconds > 0)
    self.connections = connections
    self.idleSeconds = idleSeconds
    self.requestSeconds = requestSeconds
    self.headerBytes = headerBytes
    self.strangerBodyBytes = strangerBodyBytes
    self.strangerRequestSeconds = strangerRequestSeconds
    self.strangerIdleSeconds = strangerIdleSeconds
    self.strangerSeconds = strangerSeconds
    self.commentSeconds = commentSeconds
    self.shutdownSeconds = shutdownSeconds
    self.slowRequestMilliseconds = slowRequestMilliseconds
  }
}
