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
    var position: Int64?
    var isInterrupted = false
    do {
      try await tell(watch, address, &left, &position, &isInterrupted)
    } catch let error as DocketClientError {
      guard case .refused = error, position != nil else { throw error }
      throw CommandFailure("\(CommandFailure(error)). The last change that was told is \(position ?? 0).")
    }
  }

  private func tell(
    _ watch: Watch, _ address: ServerAddress, _ left: inout Int, _ position: inout Int64?, _ isInterrupted: inout Bool
  ) async throws {
    for try await event in watch {
      switch self {
      case .text: try Self.write(WatchLine.text(event))
      case .json: try Self.write(WatchLine.json(event))
      case .command(let trigger): try await trigger.run(event)
      }
      switch event {
      case .interrupted(let reason):
        isInterrupted = true
        let text = "\(reason)"
        try StandardStream.error.writeLine(
          "docket: \(text.utf8.last == UInt8(ascii: ".") ? String(text.dropLast()) : text); connecting to \(address) again"
        )
      case .live where isInterrupted:
        isInterrupted = false
        try StandardStream.error.writeLine("docket: connected again")
      case .live(let mark) where StandardStream.error.isTerminal && !isJSON:
        try StandardStream.error.writeLine("docket: up to date with revision \(mark.sequence), waiting for changes")
      case .change(let change):
        position = change.sequence ?? position
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
