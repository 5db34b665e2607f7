import CoreMetrics
import DequeModule
import DocketService
import DocketStore
import DocketWire
import Logging
import NIOCore

/// What the connections of one event loop share: the store session, and the tick in which their requests run together.
///
/// Frames are decoded as sockets are read; a tick follows all the reads of one turn of the loop. So its requests share
/// one snapshot, which begins after the last of them was received, and their writes are handed over at once.
final class LoopContext {
  let service: DocumentService
  let limits: ServerLimits
  let watchPort: WatchPort
  let store: ServedStore
  private let eventLoop: any EventLoop
  private let logger: Logger
  /// Whether the log may be told of a request, so that its path must be kept at hand.
  private let namesRequests: Bool
  private let slowNanoseconds: UInt64?

  /// What was answered since the last sweep.
  var tally = RequestTally()
  private let meter: RequestMeter
  private let cacheGauge: Gauge
  private var clock = TickClock()

  /// Lent to each connection within a tick.
  var outputBuffers = OutputBuffers()

  private var connections: [ObjectIdentifier: ConnectionHandler] = [:]
  private var queue: [ConnectionHandler] = []
  private var tickIsScheduled = false
  /// A tick takes up no more of what clients have sent than this, and what one of them makes of it; the connections behind it come
  /// first in the next one.
  private static let bytesOfTick = 1 << 20
  /// The connections that each tick held back whose reads are not durable yet, oldest first.
  private var held = Deque<[ConnectionHandler]>()
  private var drained: EventLoopPromise<Void>?

  /// The clock by which what clients do is stamped, in steps of `sweepMilliseconds`, so that no request pays for a clock. It moves when
  /// deadlines are looked at, by as many steps as have passed: a loop that has much to do looks at them less often.
  private(set) var sweeps = 0
  /// How much time has passed for clients until the last sweep, and when that was.
  private var (passed, sweptAt) = (TimeAmount.zero, NIODeadline.uptimeNanoseconds(0))
  /// How much had passed when the latest steps had ended, the n-th at n modulo their count: what is stamped with a step was done before.
  private var endsOfSteps = [TimeAmount](repeating: .zero, count: 64)
  private static let sweepMilliseconds: Int64 = 250
  private static let sweepTime = TimeAmount.milliseconds(sweepMilliseconds)
  /// While a loop stands still it reads nothing, so of that time no more than this is counted against its clients.
  private static let mostStepsOfSweep = 4
  private var sweptUntil = NIODeadline.uptimeNanoseconds(0)
  private var sweeping: RepeatedTask?
  private(set) var agenda = SweepAgenda()
  /// Those that the sweep has yet to look at.
  private var unswept: ArraySlice<ConnectionHandler> = []
  /// What of the gate's endings all connections were looked at for.
  private var knownEndings = 0
  /// So many are looked at before the loop looks at its sockets again: to look at 10,000 takes milliseconds.
  static let connectionsAtOnce = 200

  /// - Parameter number: of the loop, from 0.
  init(
    eventLoop: any EventLoop, number: Int, store: ServedStore, limits: ServerLimits, logger: Logger
  ) throws(StoreError) {
    self.eventLoop = eventLoop
    watchPort = WatchPort(
      execute: { work in eventLoop.execute(work) },
      pause: { work in LoopTurns.shared.execute(on: eventLoop, work) })
    service = try store.makeService { work in eventLoop.execute(work) }
    self.store = store
    self.limits = limits
    self.logger = logger
    slowNanoseconds = limits.slowRequestMilliseconds.map { UInt64($0) * 1_000_000 }
    namesRequests = logger.logLevel <= .info || slowNanoseconds != nil
    meter = store.meters.requests
    cacheGauge = store.meters.documentCache(of: "native \(number)")
  }

  func makeConnectionState() -> ConnectionState {
    ConnectionState(
      router: store.router, visitor: Visitor(store.gate, from: .unknown), wireLimits: store.wireLimits, limits: limits,
      logsRequests: namesRequests)
  }

  /// Who is at the other end of a connection that has begun.
  func visitor(on channel: any Channel) -> Visitor {
    guard let peer = PeerCredentials(of: channel) else {
      return Visitor(store.gate, from: VisitorAddress(channel.remoteAddress))
    }
    return Visitor(store.gate, from: .user(peer.user), user: peer.user)
  }

  func schedule(in milliseconds: Int64, _ body: @escaping () -> Void) {
    eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: .milliseconds(milliseconds), body)
  }

  /// - Parameter request: nil for something that was no request.
  func logRequest(_ request: RequestSummary?, _ response: Response) {
    logger.info(
      "\(request?.method ?? "-") \(request?.path ?? "-") \(response.status.rawValue)",
      metadata: request?.id.map { ["id": .string($0)] })
  }

  // MARK: Counting

  /// When a request is taken up, by the loop's clock.
  var moment: UInt64 { clock.moment() }

  /// Counts a request that is answered.
  /// - Parameters:
  ///   - began: the moment at which it was taken up.
  ///   - request: for the log, if it may be told.
  ///   - connection: where it came from.
  func count(
    _ kind: RequestKind, _ response: Response, since began: UInt64, _ request: RequestSummary?,
    on connection: ConnectionHandler
  ) {
    let outcome = RequestOutcome(response.status)
    if let slowNanoseconds {
      let duration = TickClock.now() - began
      if duration >= slowNanoseconds { logSlow(kind, response, duration, request, connection) }
      tally.add(kind, outcome, duration: duration)
    } else if service.session.isInTick {
      tally.addInTick(kind, outcome)
    } else {
      tally.add(kind, outcome, duration: clock.moment() - began)
    }
  }

  private func logSlow(
    _ kind: RequestKind, _ response: Response, _ nanoseconds: UInt64, _ request: RequestSummary?,
    _ connection: ConnectionHandler
  ) {
    logger.slowRequest(
      request, id: request?.id, kind, response.status, nanoseconds: nanoseconds,
      connection: connection.peerDescription)
  }

  /// Whether the server is ending.
  var isFinishing: Bool { drained != nil }

  /// Tells all servers' meters what this loop has counted.
  private func tellMeters() {
    tally.flush(into: meter)
    cacheGauge.record(service.session.cachedBytes)
  }

  // MARK: Ticks

  /// Has the connection run in the next tick.
  func enqueue(_ connection: ConnectionHandler) {
    if !connection.isQueued {
      connection.isQueued = true
      queue.append(connection)
    }
    guard !tickIsScheduled else { return }
    tickIsScheduled = true
    eventLoop.assumeIsolatedUnsafeUnchecked().execute { self.tick() }
  }

  /// Runs `body` when the loop has looked at its sockets.
  private func executeBehindSockets(_ body: @escaping () -> Void) {
    LoopTurns.shared.execute(on: eventLoop, body)
  }

  private func tick() {
    let began = clock.moment()
    var ready = queue
    queue.removeAll(keepingCapacity: true)
    service.session.beginTick()
    var taken = 0
    var count = 0
    while count < ready.count, taken < Self.bytesOfTick {
      taken += ready[count].runRequests()
      count += 1
    }
    service.session.endTick()
    if tally.hasAnsweredInTick { tally.endTick(duration: TickClock.now() - began) }
    clock.forget()
    if count < ready.count {
      for connection in ready[count...] { connection.isLeftBehind = true }
      queue.insert(contentsOf: ready[count...], at: 0)
      ready.removeSubrange(count...)
    }
    if !service.session.readsAreDurable(otherwise: releaseFirst) {
      // The writes that the reads show are being synced.
      let readers = ready.filter(\.hasRead)
      for connection in readers { connection.hold() }
      held.append(readers)
    }
    for connection in ready { connection.flush() }
    // What is left, or is to go on, goes on behind what others have sent meanwhile.
    tickIsScheduled = !queue.isEmpty
    if tickIsScheduled { executeBehindSockets { self.tick() } }
  }

  /// Lets the connections that were held back first send what they had then; or ends them, if nobody may be told that.
  private func releaseFirst(_ isDurable: Bool) {
    for connection in held.removeFirst() {
      if isDurable { connection.release() } else { connection.close() }
    }
  }

  // MARK: Connections

  func add(_ connection: ConnectionHandler) {
    connections[ObjectIdentifier(connection)] = connection
    if sweeping == nil { startSweeping() }
    look(at: connection, noLaterThan: min(connection.nextDeadline, sweeps + agenda.nextDelay()))
    if drained != nil { connection.finish() }
  }

  func remove(_ connection: ConnectionHandler) {
    guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil, connections.isEmpty else { return }
    sweeping?.cancel()
    sweeping = nil
    tellMeters()
    drained?.succeed()
    drained = nil
  }

  /// Ends every connection behind its last answer; the future tells when all are closed.
  func finish() -> EventLoopFuture<Void> {
    guard !connections.isEmpty else { return eventLoop.makeSucceededVoidFuture() }
    let promise = drained ?? eventLoop.makePromise(of: Void.self)
    drained = promise
    for connection in connections.values { connection.finish() }
    return promise.futureResult
  }

  func closeAll() {
    for connection in connections.values { connection.close() }
  }

  // MARK: Deadlines

  /// Whether at least so long has passed since something that is stamped with a step.
  func hasPassed(_ seconds: Double, since step: Int) -> Bool {
    guard step < sweeps else { return false }
    let isLately = sweeps - step <= endsOfSteps.count
    // Of what is long ago it is not known how many steps it was that ended at once.
    let age =
      isLately
      ? passed - endsOfSteps[step % endsOfSteps.count] : Self.sweepTime * (sweeps - step - Self.mostStepsOfSweep - 1)
    return Double(age.nanoseconds) >= seconds * 1e9
  }

  /// In which step so long has passed since something that is stamped with another one, at the earliest.
  func sweep(_ seconds: Double, after sweep: Int) -> Int {
    sweep + 1 + Int((min(seconds, 1e9) * 1000 / Double(Self.sweepMilliseconds)).rounded(.up))
  }

  /// Has a sweep look at the connection in time, if none is to yet.
  func look(at connection: ConnectionHandler, noLaterThan sweep: Int) {
    let sweep = min(max(sweep, sweeps + 1), sweeps + SweepAgenda.longest)
    guard !connection.isUnswept, sweep < connection.nextLook ?? .max else { return }
    connection.nextLook = sweep
    agenda.append(ObjectIdentifier(connection), in: sweep)
  }

  private func startSweeping() {
    let bound = NIOLoopBound(self, eventLoop: eventLoop)
    sweptUntil = eventLoop.now
    sweptAt = sweptUntil
    // While there was nobody no sweep has taken what was left in it.
    agenda = SweepAgenda()
    knownEndings = store.gate.endings
    // NIO counts the delay from the end of one sweep to the beginning of the next.
    sweeping = eventLoop.scheduleRepeatedTask(initialDelay: Self.sweepTime, delay: Self.sweepTime) { _ in
      bound.value.sweep()
    }
  }

  private func sweep() {
    let now = eventLoop.now
    passed = passed + min(now - sweptAt, Self.sweepTime * Self.mostStepsOfSweep)
    sweptAt = now
    let steps = (now - sweptUntil).nanoseconds / Self.sweepTime.nanoseconds
    sweptUntil = sweptUntil + Self.sweepTime * Int(steps)
    if store.gate.endings != knownEndings {
      knownEndings = store.gate.endings
      for connection in connections.values { look(at: connection, noLaterThan: sweeps + 1) }
    }
    let isSweeping = !unswept.isEmpty
    for _ in 0..<min(Int(steps), Self.mostStepsOfSweep) {
      endsOfSteps[sweeps % endsOfSteps.count] = passed
      sweeps += 1
      for identifier in agenda.take(sweeps) {
        guard let connection = connections[identifier], connection.nextLook == sweeps else { continue }
        connection.nextLook = nil
        connection.isUnswept = true
        unswept.append(connection)
      }
    }
    tellMeters()
    if !isSweeping { sweepOn() }
  }

  private func sweepOn() {
    for connection in unswept.prefix(Self.connectionsAtOnce) {
      connection.isUnswept = false
      connection.checkDeadlines()
      if case .closed = connection.phase { continue }
      look(at: connection, noLaterThan: connection.nextDeadline)
    }
    unswept = unswept.dropFirst(Self.connectionsAtOnce)
    guard !unswept.isEmpty else { return unswept = [] }
    executeBehindSockets { self.sweepOn() }
  }
}
