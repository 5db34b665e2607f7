import DocketService
import DocketStore
import DocketWire
import NIOCore

/// Carries out the requests of one event loop's connections, on that loop, by a store session of its own.
///
/// Each request is a tick of its own: what it reads is no older than the moment at which it is carried out.
actor HTTPDesk {
  /// What a request comes to.
  enum Outcome: Sendable {
    case response(Response)
    /// What is told goes on, until `closeStream`.
    case stream(StreamID)
  }

  struct StreamID: Hashable, Sendable {
    fileprivate let number: Int
  }

  nonisolated let eventLoop: any EventLoop
  nonisolated let executor: LoopExecutor
  nonisolated var unownedExecutor: UnownedSerialExecutor { eventLoop.executor.asUnownedSerialExecutor() }

  private let store: ServedStore
  private let limits: HTTPLimits
  private let router: Router
  private var service: DocumentService?
  private let watchPort: WatchPort
  private var streams: [StreamID: EventStream] = [:]
  private var lastStream = 0
  private var isEnding = false

  init(_ store: ServedStore, on eventLoop: any EventLoop, limits: HTTPLimits) {
    self.store = store
    self.eventLoop = eventLoop
    self.limits = limits
    executor = LoopExecutor(eventLoop)
    router = store.router
    watchPort = WatchPort(
      execute: { work in eventLoop.execute(work) },
      pause: { work in eventLoop.scheduleTask(in: .microseconds(50), work) })
  }

  func open() throws(StoreError) {
    let eventLoop = eventLoop
    service = try store.makeService { work in eventLoop.execute(work) }
  }

  /// Ends all streams, and says why. No further one begins.
  func endStreams() {
    isEnding = true
    for stream in streams.values { stream.end(.watchClosing) }
  }

  func close() {
    service?.session.close()
    service = nil
  }

  // MARK: Requests

  /// What is known of a client before its request's body is read.
  struct Greeting: Sendable {
    /// How many bytes the body may have.
    let bodyBytes: Int
    /// What it is answered without more ado.
    let refusal: Response?
    let delayMilliseconds: Int64
  }

  func greet(_ headers: Headers, from address: VisitorAddress) -> Greeting {
    var visitor = Visitor(store.gate, from: address)
    let refusal = visitor.identify(by: headers).map { visitor.countWhatIsNoRequest() ?? $0 }
    switch refusal {
    case .answerLater(let response, let milliseconds)?:
      return Greeting(bodyBytes: 0, refusal: response, delayMilliseconds: milliseconds)
    case .answer(let response)?: return Greeting(bodyBytes: 0, refusal: response, delayMilliseconds: 0)
    default:
      let bytes = store.wireLimits.frameBytes
      return Greeting(
        bodyBytes: visitor.isStranger ? min(limits.strangerBodyBytes, bytes) : bytes, refusal: nil,
        delayMilliseconds: 0)
    }
  }

  /// Carries out a request. From its loop, where connections run, no thread or task is changed for what can be answered at once.
  /// - Parameter cancellation: ends its query early.
  nonisolated func answer(
    _ request: DocketWire.Request, from address: VisitorAddress,
    cancellation: @escaping @Sendable () -> QueryCancellation
  ) async -> Outcome {
    await withCheckedContinuation { continuation in
      onLoop { desk in
        var visitor = Visitor(desk.store.gate, from: address)
        let operation = visitor.operation(for: request, by: desk.router)
        if case .watch(let watch) = operation { return continuation.resume(returning: desk.open(watch)) }
        desk.perform(operation, cancellation) { continuation.resume(returning: .response($0)) }
      }
    }
  }

  /// What is answered to something that is no request, unless there was too much of that.
  nonisolated func answer(
    noRequest response: DocketWire.Response, from address: VisitorAddress
  ) async -> DocketWire.Response {
    await withCheckedContinuation { continuation in
      onLoop { desk in
        let visitor = Visitor(desk.store.gate, from: address)
        desk.perform(visitor.countWhatIsNoRequest() ?? .answer(response), { QueryCancellation() }) {
          continuation.resume(returning: $0)
        }
      }
    }
  }

  private nonisolated func onLoop(_ body: @escaping @Sendable (isolated HTTPDesk) -> Void) {
    if eventLoop.inEventLoop {
      assumeIsolated { body($0) }
    } else {
      eventLoop.execute { self.assumeIsolated { body($0) } }
    }
  }

  /// - Parameter completion: called once, at once or later, on the loop.
  private func perform(
    _ operation: DocketService.Operation, _ cancellation: () -> QueryCancellation,
    completion: @escaping @Sendable (DocketWire.Response) -> Void
  ) {
    guard let service else { return completion(.watchClosing) }
    if case .answerLater(let response, let milliseconds) = operation {
      eventLoop.scheduleTask(in: .milliseconds(milliseconds)) { completion(response) }
      return
    }
    var atOnce: DocketWire.Response?
    var isWithinTick = true
    service.session.beginTick()
    service.perform(operation, withHeaders: true, cancellation: cancellation()) { response in
      if isWithinTick { atOnce = response } else { completion(response) }
    }
    service.session.endTick()
    isWithinTick = false
    guard let response = atOnce else { return }
    // Nobody may be told what was read and will never be durable.
    let isDurable = service.session.readsAreDurable { completion($0 ? response : .lost) }
    if isDurable { completion(response) }
  }

  // MARK: Streams

  private func open(_ request: WatchRequest) -> Outcome {
    guard !isEnding, let service, let hub = service.watchHub else { return .response(.watchClosing) }
    let stream = EventStream(hub: hub, port: watchPort)
    service.session.beginTick()
    let refusal = stream.open(request, newest: service.session.newestRevision)
    service.session.endTick()
    if let refusal { return .response(refusal) }
    lastStream += 1
    let id = StreamID(number: lastStream)
    streams[id] = stream
    if streams.count == 1 { lookAfterStreams() }
    return .stream(id)
  }

  /// What is told next; nil behind the end. What it told before is on its way.
  func next(of id: StreamID) async -> ByteBuffer? {
    guard let stream = streams[id] else { return nil }
    return await withCheckedContinuation { stream.tellNext($0) }
  }

  /// The client has gone, or the stream has ended.
  func closeStream(_ id: StreamID) {
    streams.removeValue(forKey: id)?.close()
  }

  private static let lookMilliseconds: Int64 = 250

  /// Ends those that are no longer allowed, and has those say something that are silent, for as long as there are any.
  private func lookAfterStreams() {
    let interval = TimeAmount.milliseconds(Self.lookMilliseconds)
    eventLoop.scheduleTask(in: interval) { [self] in
      assumeIsolated { desk in
        for stream in desk.streams.values {
          stream.checkAccess()
          stream.breakSilence(after: desk.limits.commentSeconds)
        }
        if !desk.streams.isEmpty { desk.lookAfterStreams() }
      }
    }
  }
}

extension Response {
  /// To those who may not be told what was read.
  fileprivate static var lost: Response {
    .retry(
      .serviceUnavailable, "unavailable", "The store can no longer hold what it promises; ask again.", afterSeconds: 1)
  }
}
