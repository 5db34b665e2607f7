import DocketClient

/// Where the events of a watch go.
enum WatchOutput: Sendable {
  /// Lines for people.
  case text
  /// Lines for programs.
  case json
  case command(WatchTrigger)

  /// Tells events until the watch ends, or so many changes are told.
  /// - Parameter address: of the server, as people are told.
  func tell(_ watch: Watch, of address: ServerAddress, limit: Int?) async throws {
    var left = limit ?? .max
    for try await event in watch {
      switch self {
      case .text: try Self.write(WatchLine.text(event))
      case .json: try Self.write(WatchLine.json(event))
      case .command(let trigger): try await trigger.run(event)
      }
      switch event {
      case .interrupted(let reason):
        try StandardStream.error.writeLine("docket: \(reason); connecting to \(address) again")
      case .live(let mark) where StandardStream.error.isTerminal && !isJSON:
        try StandardStream.error.writeLine("docket: up to date with revision \(mark.sequence), waiting for changes")
      case .change:
        left -= 1
        if left == 0 { return }
      case .live, .heartbeat, .reset: break
      }
    }
  }

  private var isJSON: Bool { if case .json = self { true } else { false } }

  private static func write(_ line: [UInt8]?) throws {
    guard let line else { return }
    try StandardStream.output.write((line + [UInt8(ascii: "\n")])[...])
  }
}
