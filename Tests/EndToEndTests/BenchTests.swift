import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  @Suite("measures a server")
  struct BenchTests {
    private struct Report: Decodable {
      let workload: String
      let requests: Int
      let requestsPerSecond: Double
      let latencyMicroseconds: [String: Double]
      let codes: [String: Int]
      var watchers: Int?
      var events: Int?
      var eventsPerSecond: Double?
    }

    private func bench(_ server: ServerProcess, _ arguments: String...) throws -> Report {
      let process = try ChildProcess(Docket.path, ["bench", "--port", "\(server.port)", "--json"] + arguments)
      #expect(process.waitForEnd() == .exited(0), "\(arguments): \(process.errorOutput)")
      return try JSONDecoder().decode(Report.self, from: Data(process.remainingOutput.utf8))
    }

    @Test("with every workload, as many requests as it was told, each answered as it should be")
    func workloads() async throws {
      try await withServer { (server) throws in
        let expected: [(String, Set<String>)] = [
          ("put", ["200", "201"]), ("get", ["200"]), ("mixed", ["200"]), ("post", ["201"]), ("list", ["200"]),
          ("one-shot", ["200"]), ("delete", ["204"]),
        ]
        for (workload, codes) in expected {
          let report = try bench(
            server, "--workload", workload, "--requests", "60", "--keys", "60", "--connections", "3", "--pipeline", "2",
            "--size", "40")
          #expect(report.workload == workload && report.requests == 60)
          #expect(codes.isSuperset(of: report.codes.keys), "\(workload): \(report.codes)")
          #expect(report.codes.values.reduce(0, +) == 60)
          #expect(report.requestsPerSecond > 0 && report.latencyMicroseconds["p99"] != nil)
        }
        // What remains is what POST has made.
        #expect(
          try SQLiteCommand.run(server.database, "SELECT count(*), max(length(data)) FROM documents").output
            == "60|40\n")
      }
    }

    @Test("with queries by an index, which it makes, for all documents of one group")
    func queries() async throws {
      try await withServer { (server) throws in
        let report = try bench(
          server, "--workload", "query", "--requests", "30", "--keys", "60", "--connections", "3", "--size", "100")
        #expect(report.workload == "query" && report.codes == ["200": 30])
        let result = try Docket.run(
          "list", "/bench/", "--port", "\(server.port)", "--where", #"{"group": 2}"#, "--count", "--explain")
        #expect(result.output.contains(#""count": 20"#), "\(result)")
        #expect(result.output.contains(#""index": ["group"]"#), "\(result)")
        let sizes = try SQLiteCommand.run(
          server.database, "SELECT count(*), min(length(data)), max(length(data)) FROM documents")
        #expect(sizes.output == "60|100|100\n")
      }
    }

    @Test("with watchers, each of whom is told of each write")
    func watchers() async throws {
      try await withServer { (server) throws in
        let report = try bench(
          server, "--workload", "watch", "--watchers", "5", "--requests", "40", "--keys", "7", "--connections", "2",
          "--pipeline", "3")
        #expect(report.workload == "watch" && report.watchers == 5)
        #expect(report.requests == 40 && report.codes.values.reduce(0, +) == 40)
        #expect(report.events == 200 && report.eventsPerSecond ?? 0 > 0)
        // From a write to who is told of it, which is no longer than the whole run, 10 s at most.
        let slowest = report.latencyMicroseconds["max"] ?? 0
        #expect(slowest > 0 && slowest < 10_000_000)
        let text = try Docket.run(
          "bench", "--port", "\(server.port)", "--workload", "watch", "--requests", "3", "--connections", "1")
        #expect(text.output.hasPrefix("watch: ") && text.output.contains(" events/s (300 in "), "\(text)")
        #expect(text.output.contains("  100 watchers of "), "\(text)")
      }
    }

    @Test("and the page of figures is made by a script that works")
    func page() async throws {
      try await withDatabase { path in
        let folder = (path as NSString).deletingLastPathComponent
        let script = FileManager.default.currentDirectoryPath + "/Tests/Bench/bench.py"
        let process = try ChildProcess(
          "env",
          ["-C", folder, "python3", script, "--smoke", "--binary", Docket.path, "--output", folder])
        #expect(process.waitForEnd(seconds: 600) == .exited(0), "\(process.errorOutput)")
        let page = try String(contentsOfFile: folder + "/BENCHMARKS.md", encoding: .utf8)
        for row in [
          "| durable PUT |", "| GET, 60,000 bytes |", "| 200 |", "MiB at rest", "| with ids, by PUT |",
          "| 20 documents of one in 10 values |", "| 10,000 documents, written 2,000 times |",
        ] {
          #expect(page.contains(row), "\(page)")
        }
        let plot = try String(contentsOfFile: folder + "/benchmarks.svg", encoding: .utf8)
        #expect(plot.hasPrefix("<svg") && plot.contains("durable PUT"))
      }
    }

    @Test("at a fixed rate, and with keys that are not alike")
    func rate() async throws {
      try await withServer { (server) throws in
        let report = try bench(
          server, "--rate", "500", "--requests", "200", "--distribution", "zipf", "--keys", "10", "--connections", "2")
        #expect(report.requests == 200)
        // 200 requests at 500 a second take no less than 0.398 s, however fast the server is.
        #expect(report.requestsPerSecond <= 503)
      }
    }

    @Test("and says in a picture how the answers' times are spread, or why there is nothing to say")
    func output() async throws {
      try await withServer { (server) throws in
        let result = try Docket.run(
          "bench", "--port", "\(server.port)", "--workload", "put", "--requests", "500", "--seconds", "1")
        #expect(result.ending == .exited(0))
        #expect(result.output.contains("requests/s (500 in ") && result.output.contains("p99.9 "))
        #expect(result.output.contains("%") && result.output.contains("█"))
      }
      let missing = try Docket.run("bench", "--unix-socket", "/nowhere/docket.sock", "--workload", "put")
      #expect(missing.ending == .exited(1) && missing.error.contains("is docket serve running"))
      for arguments in [
        ["--workload", "nonsense"], ["--connections", "0"], ["--rate", "0"], ["--size", "1"],
        ["--watchers", "5"], ["--workload", "watch", "--watchers", "0"],
        ["--workload", "watch", "--dialect", "redis"],
      ] {
        let process = try ChildProcess(Docket.path, ["bench"] + arguments)
        #expect(process.waitForEnd() == .exited(2), "\(arguments)")
      }
    }
  }
}
