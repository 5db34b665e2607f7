import DequeModule
import NIOCore

/// One iteration of a watch. Its connection lives as long as it does.
final class WatchSubscription: Sendable {
  private let client: DocketClient
  private let session: NIOLoopBoundBox<WatchSession>

  init(_ watch: Watch) throws(DocketClientError) {
    client = watch.client
    let session = WatchSession(
      try WatchTarget(watch.scope, watch.options), watch.options, address: client.address,
      configuration: client.configuration, eventLoop: client.eventLoop)
    self.session = .makeBoxSendingValue(session, eventLoop: client.eventLoop)
  }

  deinit {
    client.eventLoop.execute { [session, watches = client.watches] in
      watches.value.remove(session.value)
      session.value.close(CancellationError())
    }
  }

  /// What has come since the last time, as soon as there is something; nil behind the end of the watch. Where the task is
  /// cancelled the watch ends.
  func next() async throws -> Deque<WatchEvent>? {
    let session = session
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        client.eventLoop.execute { [watches = client.watches] in
          watches.value.insert(session.value)
          session.value.take { continuation.resume(with: $0) }
        }
      }
    } onCancel: {
      client.eventLoop.execute { session.value.close(CancellationError()) }
    }
  }
}
