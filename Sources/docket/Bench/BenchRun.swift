import DequeModule
import DocketClient
import Histogram
import NIOCore
import NIOPosix

/// One measurement: connections on one event loop, the requests that are due, and what came of them.
///
/// At a fixed rate a request has the time at which it was due, not that at which it could be sent: a server that stalls
/// shows in the latency of all that should have happened meanwhile.
final class BenchRun {
  private let plan: BenchPlan
  private let server: BenchServer
  private let eventLoop: any EventLoop
  private let finished: EventLoopPromise<BenchResult>
  private let progress: (Double, Histogram<UInt64>) -> Void

  private var requests: BenchRequests
  private var result = BenchResult()
  private var sinceProgress = Histogram<UInt64>(highestTrackableValue: 3_600_000_000_000)
  private var connections: [BenchConnection] = []
  private var watchers: [BenchWatcher] = []
  private var began: UInt64 = 0
  private var hasBegun = false
  private var issued = 0
  private var isOver = false
  /// When the requests were due that could not be sent yet.
  private var due: Deque<UInt64> = []
  private var ticks: RepeatedTask?
  private var reports: RepeatedTask?

  init(
    _ plan: BenchPlan, server: BenchServer, eventLoop: any EventLoop,
    finished: EventLoopPromise<BenchResult>, progress: @escaping (Double, Histogram<UInt64>) -> Void
  ) {
    self.plan = plan
    self.server = server
    self.eventLoop = eventLoop
    self.finished = finished
    self.progress = progress
    requests = BenchRequests(plan, server)
  }

  static var now: UInt64 { NIODeadline.now().uptimeNanoseconds }

  /// Opens the connections, then begins. On the event loop.
  func start() {
    connections = (0..<plan.connections).map { _ in BenchConnection(run: self, plan: plan, server: server) }
    watchers = (0..<(plan.watchers ?? 0)).map { _ in BenchWatcher(run: self, plan: plan, server: server) }
    let opening = connections.map { $0.open(on: eventLoop) } + watchers.map { $0.open(on: eventLoop) }
    EventLoopFuture.andAllSucceed(opening, on: eventLoop).assumeIsolated().whenComplete { [self] outcome in
      switch outcome {
      case .success: begin()
      case .failure(let error): fail(error)
      }
    }
  }

  private func begin() {
    began = Self.now
    hasBegun = true
    if case .seconds(let seconds) = plan.end {
      eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(Int64(seconds * 1e9))) { [self] in finish() }
    }
    let bound = NIOLoopBound(self, eventLoop: eventLoop)
    if let rate = plan.rate {
      ticks = eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(1)) { _ in
        bound.value.addDue(rate)
      }
    }
    reports = eventLoop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
      bound.value.report()
    }
    for connection in connections { connection.go() }
  }

  private func report() {
    progress(Double(Self.now - began) / 1e9, sinceProgress)
    sinceProgress.reset()
  }

  private func addDue(_ rate: Double) {
    // The first one at once.
    let total = Int(Double(Self.now - began) / 1e9 * rate) + 1
    while issued < total, !hasIssuedAll {
      due.append(began + UInt64(Double(issued) / rate * 1e9))
      issued += 1
    }
    for connection in connections where !due.isEmpty { connection.go() }
  }

  private var hasIssuedAll: Bool {
    if case .requests(let count) = plan.end { issued >= count } else { false }
  }

  /// The next request and the time from which it counts; nil if there is none now.
  func next(into buffer: inout ByteBuffer) -> UInt64? {
    guard hasBegun, !isOver else { return nil }
    if plan.rate != nil {
      guard let time = due.popFirst() else { return nil }
      requests.writeNext(into: &buffer, at: time)
      return time
    }
    guard !hasIssuedAll else { return nil }
    issued += 1
    let now = Self.now
    requests.writeNext(into: &buffer, at: now)
    return now
  }

  /// How many requests a connection may have without an answer.
  var pipeline: Int { plan.pipeline }

  func answered(code: Int, since start: UInt64) {
    guard !isOver else { return }
    result.codes[code, default: 0] += 1
    if plan.watchers == nil { record(since: start) }
    finishIfDone()
  }

  /// A watcher was told of a write.
  func told(since start: UInt64) {
    guard !isOver else { return }
    record(since: start)
    finishIfDone()
  }

  private func record(since start: UInt64) {
    let elapsed = Self.now - start
    result.latencies.record(elapsed)
    sinceProgress.record(elapsed)
  }

  private func finishIfDone() {
    guard case .requests(let count) = plan.end, result.answers >= count else { return }
    if result.arrivals >= count * (plan.watchers ?? 1) { finish() }
  }

  func fail(_ error: any Error) {
    guard !isOver else { return }
    close()
    finished.fail(error)
  }

  private func finish() {
    guard !isOver else { return }
    result.nanoseconds = Self.now - began
    close()
    finished.succeed(result)
  }

  private func close() {
    isOver = true
    ticks?.cancel()
    reports?.cancel()
    for connection in connections { connection.close() }
    for watcher in watchers { watcher.close() }
    connections = []
    watchers = []
  }
}
