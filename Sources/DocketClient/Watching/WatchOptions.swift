/// What a watch tells, and how it holds on to its server.
public struct WatchOptions: Sendable, Equatable {
  public var start: WatchStart
  /// Only documents for which this holds; one for which it no longer holds is told as `left`. Nil: all documents.
  public var condition: QueryCondition?
  /// How often the server shows that it is there, in seconds from 1 to 3,600. A connection that is silent for three times
  /// as long is taken for lost.
  public var heartbeatSeconds: Int
  /// How many attempts in a row may fail before the watch ends; nil: it tries for ever. An attempt has failed when it
  /// brought no event, and one whose watch the server has begun counts as none.
  public var maximumAttempts: Int?
  /// The same until the server has begun the watch for the first time; nil: as later.
  public var maximumFirstAttempts: Int?
  /// Whether heartbeats are events.
  public var tellsHeartbeats: Bool
  /// Whether it is an event that the connection was lost.
  public var tellsInterruptions: Bool
  /// How long a connection may be silent, in the place of three heartbeats: a test cannot wait so long.
  package var maximumSilence: Duration?

  public init(
    from start: WatchStart = .now, where condition: QueryCondition? = nil, heartbeatSeconds: Int = 15,
    maximumAttempts: Int? = nil, maximumFirstAttempts: Int? = nil, tellsHeartbeats: Bool = false,
    tellsInterruptions: Bool = false
  ) {
    precondition((1...3600).contains(heartbeatSeconds))
    precondition(maximumAttempts.map { $0 > 0 } ?? true && maximumFirstAttempts.map { $0 > 0 } ?? true)
    self.start = start
    self.condition = condition
    self.heartbeatSeconds = heartbeatSeconds
    self.maximumAttempts = maximumAttempts
    self.maximumFirstAttempts = maximumFirstAttempts
    self.tellsHeartbeats = tellsHeartbeats
    self.tellsInterruptions = tellsInterruptions
  }

  var silenceLimit: Duration { maximumSilence ?? .seconds(3 * heartbeatSeconds) }
}
