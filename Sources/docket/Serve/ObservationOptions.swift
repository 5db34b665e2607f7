import ArgumentParser
import DocketService
import Logging

/// What `docket serve` tells of itself.
struct ObservationOptions: ParsableArguments {
  @Option(help: "What is logged: trace, debug, info (each request), notice, warning, error or critical.")
  var logLevel: Logger.Level = .notice

  @Option(help: "The form of the log: text, or json (an object a line).")
  var logFormat = LogFormat.text

  @Option(help: "Log each request that took so long or longer, at the level notice.")
  var slowRequestMilliseconds: Int?

  @Option(help: "With less room than this in the file system of the database, in bytes, /_ready answers 503.")
  var readyRoomBytes = ServiceLimits().roomBytes

  func validate() throws {
    if let slowRequestMilliseconds {
      try check("--slow-request-milliseconds", slowRequestMilliseconds, 1...3_600_000)
    }
    try check("--ready-room-bytes", readyRoomBytes, 0...(1 << 50))
  }

  var logger: Logger {
    var logger = Logger(label: "docket", factory: logFormat.handler)
    logger.logLevel = logLevel
    return logger
  }
}

/// How lines of the log look.
enum LogFormat: String, ExpressibleByArgument, CaseIterable {
  case text
  case json

  fileprivate func handler(label: String) -> any LogHandler {
    switch self {
    case .text: StreamLogHandler.standardError(label: label)
    case .json: JSONLogHandler(label: label) { line in try? StandardStream.error.write(line[...]) }
    }
  }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
