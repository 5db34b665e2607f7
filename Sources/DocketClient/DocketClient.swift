import DocketJSON
import DocketWire
import NIOCore
import NIOPosix
import Synchronization

/// Speaks to one server over one persistent connection (and one more for each watch), which is opened when it is needed and again when it is lost.
///
/// Calls may be made from any task at any time: they are sent in the order in which they were made, without waiting
/// for each other's answers. A call that is not answered in time throws; a task that is cancelled stops waiting, while a
/// request that was sent may still be carried out.
///
/// When the connection is lost, requests are sent again, a few times. A write has an idempotency key, so that the server
/// carries it out once however often it comes, and tells its first answer again.
public final class DocketClient: Sendable {
  public let address: ServerAddress
  let configuration: ClientConfiguration
  let eventLoop: any EventLoop
  private let session: NIOLoopBoundBox<ClientSession>
  /// Each has a connection of its own.
  let watches: NIOLoopBoundBox<OpenWatches>
  private let lastCall = Atomic<UInt64>(0)
  private let keys = IdempotencyKeys()

  /// Connects to nothing yet: the first call does.
  public init(
    _ address: ServerAddress, configuration: ClientConfiguration = ClientConfiguration(),
    eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
  ) {
    self.address = address
    self.configuration = configuration
    eventLoop = eventLoopGroup.next()
    session = .makeBoxSendingValue(
      ClientSession(address: address, configuration: configuration, eventLoop: eventLoop), eventLoop: eventLoop)
    watches = .makeBoxSendingValue(OpenWatches(), eventLoop: eventLoop)
  }

  deinit {
    eventLoop.execute { [session] in session.value.close() }
  }

  /// Closes the connection, and those of watches. Calls that are on their way throw, and so do watches.
  public func close() async {
    try? await eventLoop.submit { [session, watches] in
      session.value.close()
      watches.value.close()
    }.get()
  }

  /// Sends a request and returns its answer, whatever its code.
  ///
  /// - Parameters:
  ///   - path: as the protocol writes it: percent-encoded where a segment holds `/`, `%` or `?`.
  ///   - data: JSON text.
  ///   - headers: an `Idempotency-Key` among them is used in the place of the client's own.
  /// - Throws: `DocketClientError`, but not `refused`; `CancellationError`.
  public func request(
    _ method: Method, _ path: String, data: ByteBuffer? = nil, headers: Headers? = nil
  ) async throws -> Answer {
    if let data { try Self.check(data) }
    let call = Call(
      id: lastCall.add(1, ordering: .relaxed).newValue, method: method, path: path, data: data,
      headers: withKey(headers, for: method, path))
    let isCancelled = CancellationMark()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        eventLoop.execute { [session] in
          // The cancellation may have come by the loop before this did, and found no call.
          guard !isCancelled.value else { return continuation.resume(throwing: CancellationError()) }
          session.value.submit(call) { continuation.resume(with: $0) }
        }
      }
    } onCancel: {
      isCancelled.set()
      eventLoop.execute { [session] in session.value.cancel(call.id) }
    }
  }

  /// Sends a request and returns at once. Requests of one task so started are sent in the order of the calls.
  ///
  /// - Parameters:
  ///   - data: JSON text that its sender has checked.
  ///   - headers: sent as they are; the client adds no key of its own.
  ///   - isIdempotent: whether the request may be sent again when its answer was lost, without a key.
  package func start(
    _ method: Method, _ path: String, checkedData data: ByteBuffer?, headers: Headers? = nil, isIdempotent: Bool
  ) -> EventLoopFuture<Answer> {
    let call = Call(
      id: lastCall.add(1, ordering: .relaxed).newValue, method: method, path: path, data: data, headers: headers,
      isIdempotent: isIdempotent)
    let answer = eventLoop.makePromise(of: Answer.self)
    eventLoop.execute { [session] in
      session.value.submit(call) { answer.completeWith($0) }
    }
    return answer.futureResult
  }

  /// The headers with a key for what may have to be sent again and must not be done again.
  private func withKey(_ headers: Headers?, for method: Method, _ path: String) -> Headers? {
    guard configuration.usesIdempotencyKeys, configuration.maximumAttempts > 1, Call.takesKey(method, path.utf8),
      headers?["Idempotency-Key"] == nil
    else { return headers }
    var headers = headers ?? Headers()
    headers.append("Idempotency-Key", keys.next())
    return headers
  }

  /// A text that is no JSON, or holds a NUL, could be taken for a request of its own.
  static func check(_ data: ByteBuffer) throws(DocketClientError) {
    let result = data.withUnsafeReadableBytes { bytes -> Result<Void, JSONError> in
      Result { () throws(JSONError) in try JSONScanner.validate(bytes) }
    }
    if case .failure(let error) = result { throw .invalidDocument(error) }
  }
}

/// Whether a task was cancelled, for those who come later.
private final class CancellationMark: Sendable {
  private let isSet = Atomic<Bool>(false)

  var value: Bool { isSet.load(ordering: .acquiring) }

  func set() {
    isSet.store(true, ordering: .releasing)
  }
}
