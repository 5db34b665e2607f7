/// What one client, and all of them, may take of the server. Each limit has a flag of `docket serve`.
public struct ServerLimits: Sendable, Equatable {
  /// How many connections are served at once; a further one is answered 503 and closed.
  public var connections: Int
  /// How long a connection may be silent between requests, and how long it may leave its answers unread.
  public var idleSeconds: Double
  /// How long a frame may take from its first byte to its last.
  public var frameSeconds: Double
  /// How many requests of a connection may be unanswered before reading stops.
  public var pipelinedRequests: Int
  /// How many bytes those requests may have before reading stops.
  public var pipelinedBytes: Int
  /// How many bytes of answers may wait to be sent on a connection before its requests wait.
  public var sendBufferBytes: Int
  /// How much of what a client still sends is discarded after its last answer, so that a reset does not destroy it.
  public var lingerBytes: Int
  public var lingerSeconds: Double
  /// How many bytes a frame may have before it is known whose it is, once there are tokens.
  public var strangerFrameBytes: Int
  /// How long such a frame may take from its first byte to its last.
  public var strangerFrameSeconds: Double
  /// How long such a connection may be silent.
  public var strangerIdleSeconds: Double
  /// How long such a connection may last in all, where nothing is open to strangers.
  public var strangerSeconds: Double
  /// How long clients have to take their answers when the server ends.
  public var shutdownSeconds: Double

  /// From how long on the log tells of a request, in milliseconds; nil: it never does.
  public var slowRequestMilliseconds: Int?

  public init(
    connections: Int = 10_000, idleSeconds: Double = 300, frameSeconds: Double = 10, pipelinedRequests: Int = 1024,
    pipelinedBytes: Int = 4 << 20, sendBufferBytes: Int = 256 << 10, lingerBytes: Int = 16 << 20,
    lingerSeconds: Double = 5, strangerFrameBytes: Int = 16 << 10, strangerFrameSeconds: Double = 2,
    strangerIdleSeconds: Double = 10, strangerSeconds: Double = 30, shutdownSeconds: Double = 3,
    slowRequestMilliseconds: Int? = nil
  ) {
    precondition(connections > 0 && pipelinedRequests > 0 && pipelinedBytes > 0 && sendBufferBytes > 0)
    precondition(idleSeconds > 0 && frameSeconds > 0 && lingerBytes >= 0 && lingerSeconds > 0 && shutdownSeconds > 0)
    self.connections = connections
    self.idleSeconds = idleSeconds
    self.frameSeconds = frameSeconds
    self.pipelinedRequests = pipelinedRequests
    self.pipelinedBytes = pipelinedBytes
    self.sendBufferBytes = sendBufferBytes
    self.lingerBytes = lingerBytes
    self.lingerSeconds = lingerSeconds
    precondition(strangerFrameBytes > 0 && strangerFrameSeconds > 0 && strangerIdleSeconds > 0 && strangerSeconds > 0)
    self.strangerFrameBytes = strangerFrameBytes
    self.strangerFrameSeconds = strangerFrameSeconds
    self.strangerIdleSeconds = strangerIdleSeconds
    self.strangerSeconds = strangerSeconds
    self.shutdownSeconds = shutdownSeconds
    self.slowRequestMilliseconds = slowRequestMilliseconds
  }
}
