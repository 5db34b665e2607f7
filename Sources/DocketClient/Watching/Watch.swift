import DequeModule

/// Changes of documents as they come, without end.
///
/// ```swift
/// for try await event in client.watch(.collection("/notes/"), WatchOptions(from: .snapshot)) {
///   switch event {
///   case .change(let change): notes[change.path] = change.document
///   case .reset: notes = [:]
///   case .live, .heartbeat, .interrupted: break
///   }
/// }
/// ```
///
/// Each iteration is a watch of its own and has a connection of its own, which opens when the first event is asked for.
/// When it is lost another one goes on behind the last event, as often as the options allow: no change is told twice, and
/// none left out. One who does not ask for events holds the server back, and little waits in memory meanwhile.
///
/// The watch ends, and its connection closes, when its task is cancelled, its iterator goes, or its client is closed.
public struct Watch: AsyncSequence, Sendable {
  public typealias Element = WatchEvent

  let client: DocketClient
  let scope: WatchScope
  let options: WatchOptions

  public func makeAsyncIterator() -> Iterator {
    Iterator(watch: self)
  }

  public struct Iterator: AsyncIteratorProtocol {
    private let watch: Watch
    private var subscription: WatchSubscription?
    private var events: Deque<WatchEvent> = []
    private var hasEnded = false

    init(watch: Watch) {
      self.watch = watch
    }

    /// The next event, as soon as there is one. Nil only once an error was thrown.
    /// - Throws: `CancellationError`; `DocketClientError`: `refused` when the server will not have the watch (400, 401, 403, 404, and
    ///   so on), or can no longer go on with it (410 `history_gone`, 409 `other_history`) and no snapshot was asked for.
    public mutating func next() async throws -> WatchEvent? {
      if hasEnded { return nil }
      do {
        try Task.checkCancellation()
        if let event = events.popFirst() { return event }
        let subscription = try subscription ?? WatchSubscription(watch)
        self.subscription = subscription
        events = try await subscription.next() ?? []
        return events.popFirst()
      } catch {
        hasEnded = true
        events = []
        subscription = nil
        throw error
      }
    }
  }
}

extension DocketClient {
  /// Watches documents.
  public func watch(_ scope: WatchScope, _ options: WatchOptions = WatchOptions()) -> Watch {
    Watch(client: self, scope: scope, options: options)
  }
}
