import DocketTestSupport
import DocketWire
import NIOCore
import Testing

@testable import DocketService

@Suite("What settings are asked for")
struct SettingsRequestTests {
  /// The first two are the same, which takes a look at all names to be found out of the last.
  private static func names(_ count: Int) -> String {
    "[\((0..<count).map { "\"f\(max($0, 1))\"" }.joined(separator: ","))]"
  }

  @Test(
    "is counted before anything else is looked at",
    arguments: [
      (#"{"indexes": \#(names(65))}"#, "'indexes' takes 64 indexes at most"),
      (#"{"unique": \#(names(65))}"#, "'unique' takes 64 indexes at most"),
      (#"{"text": \#(names(17))}"#, "'text' takes 16 fields at most"),
      (#"{"indexes": [\#(names(9))]}"#, "from 1 to 8 fields"),
      (#"{"indexes": \#(names(64))}"#, "twice"), (#"{"text": \#(names(16))}"#, "twice"),
      (#"{"indexes": [\#(names(8))]}"#, "twice"),
    ])
  func counted(settings: String, words: String) {
    let request = Request(
      method: .put, path: ByteBuffer(string: "/_collections/a/"), data: ByteBuffer(string: settings))
    guard case .answer(let response) = Router(limits: WireLimits()).operation(for: request) else {
      Issue.record("the settings are taken")
      return
    }
    #expect(response.status == .badRequest)
    #expect(response.data.map { String(buffer: $0) }?.contains(words) == true, "\(response)")
  }
}
