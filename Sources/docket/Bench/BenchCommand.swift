import ArgumentParser
import DocketClient
import DocketWire
import Histogram
import NIOCore
import NIOPosix

struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measure a server: throughput, and how long answers take.",
    discussion: """
      Documents are written to /bench/ and stay there, as does the index that query sets for them. With --rate, requests \
      are sent at that rate whatever the server does, and count from the moment at which they were due; otherwise each waits \
      for the answers before it, which hides what a server that stalls keeps from being asked.

      With --workload watch other connections are told of each write, and it is this that is measured. Give a --rate that \
      the server can tell all of them of, or writes run ahead of what is told.

        docket bench --workload put --connections 16 --seconds 5
        docket bench --workload watch --watchers 1000 --connections 1 --rate 100
      """)

  @Option(help: "What to ask for: \(BenchPlan.Workload.allCases.map(\.rawValue).joined(separator: ", ")).")
  var workload = BenchPlan.Workload.get

  @Option(help: "How many connections.")
  var connections = 64

  @Option(help: "How many more connections watch what is written, with --workload watch (100 by default).")
  var watchers: Int?

  @Option(help: "How many requests of a connection may be unanswered.")
  var pipeline = 1

  @Option(help: "The size of a document, in bytes.")
  var size = 100

  @Option(help: "How many documents are asked for.")
  var keys = 10_000

  @Option(help: "How often each is: uniform, or zipf (few often, many seldom).")
  var distribution = BenchPlan.Distribution.uniform

  @Option(help: "For how long.")
  var seconds = 10.0

  @Option(help: "How many requests in all, in the place of --seconds.")
  var requests: Int?

  @Option(help: "How many requests a second.")
  var rate: Double?

  @Option(help: "What the server speaks: docket, or redis to measure one beside the other (get, put, mixed).")
  var dialect = BenchPlan.Dialect.docket

  @Flag(help: "The documents are there already, and their index: none are written before the measurement.")
  var filled = false

  @Flag(help: "Print one line of JSON.")
  var json = false

  @OptionGroup var server: ServerOptions

  func validate() throws {
    try check("--connections", connections, 1...100_000)
    if let watchers { try check("--watchers", watchers, 1...100_000) }
    try check("--pipeline", pipeline, 1...100_000)
    try check("--size", size, 2...(64 << 20))
    try check("--keys", keys, 1...100_000_000)
    try check("--seconds", seconds, 0.1...86_400)
    if let requests { try check("--requests", requests, 1...1_000_000_000) }
    if watchers != nil, workload != .watch { throw ValidationError("--watchers goes with --workload watch alone") }
    if dialect == .redis, ![.get, .put, .mixed].contains(workload) {
      throw ValidationError("--dialect redis has the workloads get, put and mixed")
    }
    if let rate { try check("--rate", rate, 0.1...10_000_000) }
  }

  private var plan: BenchPlan {
    BenchPlan(
      workload: workload, connections: connections, watchers: workload == .watch ? watchers ?? 100 : nil,
      pipeline: workload == .oneShot ? 1 : pipeline, documentBytes: size,
      keys: keys, distribution: distribution, end: requests.map { .requests($0) } ?? .seconds(seconds), rate: rate,
      collection: "/bench/", dialect: dialect)
  }

  private var measuredServer: BenchServer {
    get throws { BenchServer(address: server.address, tls: try server.tlsForTCP(), token: try server.token()) }
  }

  func run() async throws {
    let plan = plan
    let measured = try measuredServer
    if plan.workload.needsDocuments, !filled {
      if dialect == .docket { try await fill(plan) } else { try await fillRedis(plan) }
    }
    let showsProgress = StandardStream.error.isTerminal && !json
    let result = try await Self.measure(plan, measured) { seconds, latencies in
      guard showsProgress else { return }
      let p99 = Double(latencies.valueAtPercentile(99)) / 1e6
      let text =
        "\r\(Int(seconds)) s  \(latencies.totalCount) \(plan.arrivals)/s  p99 \((p99 * 100).rounded() / 100) ms     "
      try? StandardStream.error.write(Array(text.utf8)[...])
    }
    if showsProgress { try StandardStream.error.writeLine("") }
    try StandardStream.output.writeLine(json ? result.json(plan) : result.report(plan))
  }

  private static func measure(
    _ plan: BenchPlan, _ server: BenchServer,
    progress: @escaping @Sendable (Double, Histogram<UInt64>) -> Void
  ) async throws -> BenchResult {
    let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
    let finished = eventLoop.makePromise(of: BenchResult.self)
    eventLoop.execute {
      BenchRun(plan, server: server, eventLoop: eventLoop, finished: finished, progress: progress)
        .start()
    }
    return try await finished.futureResult.get()
  }

  /// Writes as many documents as there are keys, and a few times as many: nearly every key is met.
  private func fillRedis(_ plan: BenchPlan) async throws {
    let filling = BenchPlan(
      workload: .put, connections: 16, watchers: nil, pipeline: 16, documentBytes: plan.documentBytes, keys: plan.keys,
      distribution: .uniform, end: .requests(plan.keys * 8), rate: nil, collection: plan.collection,
      dialect: plan.dialect)
    _ = try await Self.measure(filling, try measuredServer) { _, _ in }
  }

  /// Writes every document once, and makes the index by which queries find them.
  private func fill(_ plan: BenchPlan) async throws {
    let requests = BenchRequests(plan, try measuredServer)
    try await server.withClient { client in
      var next = 0
      while next < plan.keys {
        let numbers = next..<min(next + 1_000, plan.keys)
        try await withThrowingTaskGroup(of: Void.self) { group in
          for number in numbers {
            group.addTask {
              let (path, data) = requests.document(number)
              _ = try await client.put(path, data: data)
            }
          }
          try await group.waitForAll()
        }
        next = numbers.upperBound
      }
      if plan.workload == .query {
        try await client.set(ByteBuffer(string: #"{"indexes": ["group"]}"#), for: plan.collection)
      }
    }
  }
}
