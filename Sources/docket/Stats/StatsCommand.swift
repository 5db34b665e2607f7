import ArgumentParser
import DocketClient
import DocketService
import DocketStore
import NIOCore

struct StatsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stats", abstract: "Print what a server counts: sizes, connections, requests and how long they take.",
    discussion: """
      With --watch the page is drawn anew each second, with what there was of everything in that second, until ^C ends it; where \
      standard output is no terminal it is a line a second. Where there are tokens it takes one with stats.
      """)

  @Flag(help: "Print it as the server tells it, as JSON.")
  var json = false

  @Flag(help: "Go on, once a second, until it is ended.")
  var watch = false

  @OptionGroup var server: ServerOptions

  func run() async throws {
    if watch { StopSignal.watch() }
    try await server.withClient { client in
      if watch { try await follow(client) } else { try print(try await ask(client)) }
    }
  }

  private func print(_ data: ByteBuffer) throws {
    if json { return try DocumentOutput.write(data) }
    for line in StatsPage(stats: try read(data)).lines { try StandardStream.output.writeLine(line) }
  }

  private func follow(_ client: DocketClient) async throws {
    var earlier: (stats: ServerStats, at: ContinuousClock.Instant)?
    repeat {
      let data = try await ask(client)
      let (stats, now) = (try read(data), ContinuousClock.now)
      let page = StatsPage(
        stats: stats, earlier: earlier.map { ($0.stats, Double(milliseconds(from: $0.at, to: now)) / 1000) })
      if json {
        try DocumentOutput.writeRaw(data)
      } else if StandardStream.output.isTerminal {
        // The cursor home; each line behind its text and all below is erased (ECMA-48: CUP, EL, ED).
        let lines = page.lines.map { "\($0)\u{1B}[K\n" }.joined()
        try StandardStream.output.write(Array("\u{1B}[H\(lines)\u{1B}[J".utf8)[...])
      } else {
        try StandardStream.output.writeLine(page.line(at: Timestamp.now.rfc3339))
      }
      earlier = (stats, now)
    } while await !StopSignal.comes(within: .seconds(1))
  }

  private func milliseconds(from start: ContinuousClock.Instant, to end: ContinuousClock.Instant) -> Int64 {
    let (seconds, attoseconds) = start.duration(to: end).components
    return seconds * 1000 + attoseconds / 1_000_000_000_000_000
  }

  private func ask(_ client: DocketClient) async throws -> ByteBuffer {
    let answer = try await client.request(.get, "/_stats")
    try CommandFailure.check(answer)
    return answer.data
  }

  private func read(_ data: ByteBuffer) throws(CommandFailure) -> ServerStats {
    guard let stats = ServerStats(data) else { throw CommandFailure("the server's /_stats are no object") }
    return stats
  }
}
