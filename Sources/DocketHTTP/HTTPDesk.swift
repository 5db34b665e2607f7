import CoreMetrics
import DocketServer
import DocketService
import DocketStore
import DocketWire
import Logging
import NIOCore

/// Carries out the requests of one event loop's connections, on that loop, by a store session of its own.
///
/// Each request is a tick of its own: what it reads is no older than the moment at which it is carried out.
actor HTTPDesk {
  /// What a request comes to.
  enum Outcome: Sendable {
    /// With what it takes of the room for answers, until it is on its way.
    case response(Response, AnswerRoom.Share?)
    /// What is told goes on, until `closeStream`.
    case stream(EventStreams.ID)

    fileprivate var status: Status {
      switch self {
      case .response(let response, _): response.status
      case .stream: .ok
      }
    }
  }

  nonisolated let eventLoop: any EventLoop
  nonisolated let executor: LoopExecutor
  nonisolated var unownedExecutor: UnownedSerialExecutor { eventLoop.executor.asUnownedSerialExecutor() }

  private let store: ServedStore
  private let limits: HTTPLimits
  private let logger: Logger
  private let router: Router
  private var service: DocumentService?
  private let streams: EventStreams
  private let compressionTurns: CompressionTurns
  private var tally = RequestTally()
  private var willTellMeters = false
  private let cacheGauge: Gauge

  /// - Parameter number: of the loop, from 0.
  init(_ store: ServedStore, on eventLoop: any EventLoop, number: Int, limits: HTTPLimits, logger: Logger) {
    cacheGauge = store.meters.documentCache(of: "http \(number)")
    self.logger = logger
    self.store = store
    self.eventLoop = eventLoop
    self.limits = limits
    executor = LoopExecutor(eventLoop)
    router = store.router
    compressionTurns = CompressionTurns(on: eventLoop)
    streams = EventStreams(on: eventLoop, commentSeconds: limits.commentSeconds)
  }

  func open() throws(StoreError) {
    let eventLoop = eventLoop
    service = try store.makeService { work in eventLoop.execute(work) }
  }

  /// Ends all streams, and says why. No further one begins.
  func endStreams() { streams.end() }

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
  /// - Parameters:
  ///   - lacksBody: whether it has none, and would store it: that is refused, to those who may do what it asks.
  ///   - id: by which the log tells of it.
  ///   - cancellation: ends its query early.
  nonisolated func answer(
    _ request: DocketWire.Request, lacksBody: Bool, from address: VisitorAddress, _ progress: RequestProgress,
    id: String,
    cancellation: @escaping @Sendable () -> QueryCancellation
  ) async -> Outcome {
    await withCheckedContinuation { continuation in
      onLoop { desk in
        desk.carryOut(request, lacksBody: lacksBody, from: address, progress, id: id, cancellation: cancellation) {
          continuation.resume(returning: $0)
        }
      }
    }
  }

  /// Carries out a request for one document, on the loop, without a task.
  /// - Parameter completion: called once, at once or later, on the loop.
  nonisolated func answer(
    plain request: PlainRequest, from address: VisitorAddress, _ progress: RequestProgress,
    completion: @escaping @Sendable (DocketWire.Response) -> Void
  ) {
    assumeIsolated { desk in
      let native: DocketWire.Request
      do throws(RequestError) {
        native = try request.native(depth: desk.store.wireLimits.depth)
      } catch {
        return desk.answer(noRequest: error, from: address, completion: completion)
      }
      desk.carryOut(
        native, lacksBody: native.data == nil && request.storesBody, from: address, progress, id: request.outline.id,
        cancellation: { QueryCancellation() }
      ) { outcome in
        guard case .response(let response, _) = outcome else {
          preconditionFailure("of one document there is no watch")
        }
        completion(response)
      }
    }
  }

  private func carryOut(
    _ request: DocketWire.Request, lacksBody: Bool, from address: VisitorAddress, _ progress: RequestProgress,
    id: String,
    cancellation: () -> QueryCancellation, completion: @escaping @Sendable (Outcome) -> Void
  ) {
    var visitor = Visitor(store.gate, from: address)
    var operation = visitor.operation(for: request, by: router)
    if !visitor.isStranger { progress.hasShownWhoseItIs() }
    if lacksBody {
      switch operation {
      case .answer, .answerLater: break
      default: operation = .answer(.missingBody)
      }
    }
    let (kind, began) = (operation.requestKind, NIODeadline.now())
    if let refusal = store.answers.refusal(of: operation) { operation = .answer(refusal) }
    if case .watch(let watch) = operation {
      let outcome = service.map { streams.open(watch, by: $0) } ?? .response(.watchClosing, nil)
      count(kind, outcome.status, since: began, request, id)
      return completion(outcome)
    }
    if case .readStats = operation { tellMeters() }
    // That an answer is told late says nothing of the server.
    let isCounted = if case .answerLater = operation { false } else { true }
    perform(operation, cancellation) { [self, operation] response in
      let response = store.answers.admitted(response, to: operation)
      if isCounted { assumeIsolated { $0.count(kind, response.status, since: began, request, id) } }
      completion(.response(response, store.answers.share(bytes: response.data?.readableBytes ?? 0)))
    }
  }

  /// What is answered to something that is no request, unless there was too much of that.
  nonisolated func answer(noRequest error: RequestError, from address: VisitorAddress) async -> DocketWire.Response {
    await withCheckedContinuation { continuation in
      onLoop { desk in
        desk.answer(noRequest: error, from: address) { continuation.resume(returning: $0) }
      }
    }
  }

  private func answer(
    noRequest error: RequestError, from address: VisitorAddress,
    completion: @escaping @Sendable (DocketWire.Response) -> Void
  ) {
    let visitor = Visitor(store.gate, from: address)
    perform(
      visitor.countWhatIsNoRequest() ?? .answer(error.response(onPersistentSession: true)), { QueryCancellation() },
      completion: completion)
  }

  /// Counts what is answered without the store as the request that it is.
  /// - Parameters:
  ///   - code: the status that it is answered.
  ///   - began: the moment at which it was taken up.
  ///   - completion: called once with what is answered instead where there were too many, on the loop.
  nonisolated func countOther(
    _ code: Int, since began: NIODeadline, from address: VisitorAddress,
    completion: @escaping @Sendable (DocketWire.Response?) -> Void
  ) {
    onLoop { desk in
      let refusal = Visitor(desk.store.gate, from: address).countWhatIsNoRequest()
      desk.tally.add(
        .other, refusal == nil ? RequestOutcome(code: code) : .refused,
        duration: UInt64(max(0, (NIODeadline.now() - began).nanoseconds)))
      desk.tellMetersSoon()
      guard let refusal else { return completion(nil) }
      desk.perform(refusal, { QueryCancellation() }) { completion($0) }
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

  // MARK: Counting

  private static let tellMilliseconds: Int64 = 250

  /// Counts a request that is answered.
  private func count(
    _ kind: RequestKind, _ status: Status, since began: NIODeadline, _ request: DocketWire.Request, _ id: String
  ) {
    let duration = UInt64(max(0, (NIODeadline.now() - began).nanoseconds))
    tally.add(kind, RequestOutcome(status), duration: duration)
    tellMetersSoon()
    guard let slow = limits.slowRequestMilliseconds, duration >= UInt64(slow) * 1_000_000 else { return }
    logger.slowRequest(
      RequestSummary(request), id: id, kind, status, nanoseconds: duration, connection: "http")
  }

  private func tellMetersSoon() {
    guard !willTellMeters else { return }
    willTellMeters = true
    eventLoop.scheduleTask(in: .milliseconds(Self.tellMilliseconds)) { [self] in
      assumeIsolated { desk in
        desk.willTellMeters = false
        desk.tellMeters()
      }
    }
  }

  /// Tells the server's meters what this loop has counted.
  private func tellMeters() {
    tally.flush(into: store.meters.requests)
    if let service { cacheGauge.record(service.session.cachedBytes) }
  }

  /// What a scrape comes to.
  enum Metrics: Sendable {
    case text(String)
    /// Why it may not be told, or cannot.
    case response(DocketWire.Response)
  }

  /// The metrics, for those who may read the statistics.
  nonisolated func readMetrics(
    _ headers: Headers?, from address: VisitorAddress, _ progress: RequestProgress
  ) async -> Metrics {
    await withCheckedContinuation { continuation in
      onLoop { desk in
        var visitor = Visitor(desk.store.gate, from: address)
        let request = DocketWire.Request(method: .get, path: ByteBuffer(staticString: "/_stats"), headers: headers)
        let operation = visitor.operation(for: request, by: desk.router)
        if !visitor.isStranger { progress.hasShownWhoseItIs() }
        guard case .readStats = operation, let service = desk.service else {
          return desk.perform(operation, { QueryCancellation() }) { continuation.resume(returning: .response($0)) }
        }
        desk.tellMeters()
        service.readFigures { result in
          switch result {
          case .success(let figures): continuation.resume(returning: .text(figures.exposition))
          case .failure(let error): continuation.resume(returning: .response(error.response))
          }
        }
      }
    }
  }

  // MARK: Compression

  /// Comes back when a piece of an answer may be compressed.
  func compressionTurn() async {
    await withCheckedContinuation { continuation in compressionTurns.take { continuation.resume() } }
  }

  /// The same without a task, on the loop.
  nonisolated func takeCompressionTurn(_ work: @escaping @Sendable () -> Void) {
    assumeIsolated { $0.compressionTurns.take(work) }
  }

  // MARK: Streams

  /// What is told next; nil behind the end. What it told before is on its way.
  func next(of id: EventStreams.ID) async -> ByteBuffer? {
    await withCheckedContinuation { streams.tellNext(of: id, $0) }
  }

  /// The client has gone, or the stream has ended.
  func closeStream(_ id: EventStreams.ID) { streams.close(id) }

  nonisolated func closeStreamSoon(_ id: EventStreams.ID) { onLoop { $0.closeStream(id) } }
}

extension Response {
  fileprivate static var missingBody: Response {
    .error(
      .badRequest, "missing_body", "There is no body to store; a document that is null is the body null.")
  }

  /// To those who may not be told what was read.
  fileprivate static var lost: Response {
    .retry(
      .serviceUnavailable, "unavailable", "The store can no longer hold what it promises; ask again.", afterSeconds: 1)
  }
}
