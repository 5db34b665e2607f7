/// The watches of a client, so that they end with it.
struct OpenWatches {
  private var sessions: [ObjectIdentifier: WatchSession] = [:]
  private var isClosed = false

  /// Takes a watch in, which may be in already. That of a client that is closed ends at once.
  mutating func insert(_ session: WatchSession) {
    if isClosed { return session.close(DocketClientError.clientClosed) }
    sessions[ObjectIdentifier(session)] = session
  }

  mutating func remove(_ session: WatchSession) {
    sessions[ObjectIdentifier(session)] = nil
  }

  mutating func close() {
    isClosed = true
    for session in sessions.values { session.close(DocketClientError.clientClosed) }
    sessions = [:]
  }
}
