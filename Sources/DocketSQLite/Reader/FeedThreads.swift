/// The threads that read changes, each with a connection of its own.
final class FeedThreads: Sendable {
  private struct State {
    var threads: [WorkerThread] = []
    var signals: [FeedSignal] = []
    var isClosed = false
  }

  /// Ends what they read.
  let stop = ScanReader.Stop()
  private let state = Monitor(State())
  private let mark: SyncMark

  init(mark: SyncMark) {
    self.mark = mark
  }

  /// Has `body` run with a reader, which it takes over. Returns false if the store is closing.
  func start(_ reader: FeedReader, _ signal: FeedSignal, _ body: @escaping @Sendable (FeedReader) -> Void) -> Bool {
    let isStarted = state.withLock { state in
      guard !state.isClosed else { return false }
      state.signals.append(signal)
      state.threads.append(
        WorkerThread(name: "docket-feed") {
          body(reader)
          reader.close()
        })
      return true
    }
    // A store that has failed tells nothing any more.
    if isStarted { mark.onFailure { signal.end() } } else { reader.close() }
    return isStarted
  }

  /// Ends what they read, has them end, and returns when they have closed their connections.
  func close() {
    stop.isSet.store(true, ordering: .relaxed)
    let (threads, signals) = state.withLock { state in
      defer { state = State(isClosed: true) }
      return (state.threads, state.signals)
    }
    for signal in signals { signal.end() }
    for thread in threads { thread.join() }
  }
}
