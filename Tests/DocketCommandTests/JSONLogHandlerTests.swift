import DocketTestSupport
import Foundation
import Logging
import NIOConcurrencyHelpers
import Testing

@testable import docket

@Suite("A log for programs")
struct JSONLogHandlerTests {
  private struct Line: Decodable {
    let time: String
    let level: String
    let logger: String
    let message: String
    let metadata: [String: String]?
  }

  @Test("Each event is one object on one line, whatever stands in it")
  func events() throws {
    let written = NIOLockedValueBox<[UInt8]>([])
    var logger = Logger(label: "docket") { label in
      JSONLogHandler(label: label) { line in written.withLockedValue { $0 += line } }
    }
    logger[metadataKey: "node"] = "a"
    logger.notice("one \"line\"\nor \u{1}two", metadata: ["id": "7", "node": "b"])
    logger.warning("next")
    let lines = written.withLockedValue { $0 }.split(separator: UInt8(ascii: "\n"))
    #expect(lines.count == 2)
    let first = try JSONDecoder().decode(Line.self, from: Data(lines[0]))
    #expect(first.level == "notice" && first.logger == "docket" && first.message == "one \"line\"\nor \u{1}two")
    #expect(first.metadata == ["id": "7", "node": "b"])
    #expect(
      try Date(first.time, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true)).timeIntervalSinceNow
        > -3600)
    #expect(try JSONDecoder().decode(Line.self, from: Data(lines[1])).metadata == ["node": "a"])
  }

  @Test("Lists and objects among what is told with an event stay such")
  func nested() throws {
    let written = NIOLockedValueBox<[UInt8]>([])
    let logger = Logger(label: "docket") { label in
      JSONLogHandler(label: label) { line in written.withLockedValue { $0 += line } }
    }
    logger.error("e", metadata: ["list": ["1", ["inner": "2"]], "number": .stringConvertible(3)])
    let text = written.withLockedValue { String(decoding: $0, as: UTF8.self) }
    #expect(text.hasSuffix(#""metadata": {"list": ["1", {"inner": "2"}], "number": "3"}}"# + "\n"), "\(text)")
  }
}
