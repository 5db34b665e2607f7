import DocketClient
import DocketTestSupport
import NIOCore
import Testing

@testable import docket

@Suite("The lines of a watch")
struct WatchLineTests {
  private static let items = [
    ScriptedWatch.change(18, "created", document: "{\"a\":\r\n 1}", history: "h"),
    ScriptedWatch.change(19, "deleted", path: "/n/a b"), ScriptedWatch.change(20, "left", document: "null"),
    ScriptedWatch.mark("heartbeat", 21),
  ]

  /// The events of a watch that was cut off in its snapshot.
  private func events() async throws -> [WatchEvent] {
    try await ScriptedServer.run { server in
      let cut = try server.accept()
      try ScriptedWatch(cut).tell(ScriptedWatch.snapshot(1, history: "h"))
      cut.close()
      let connection = try server.accept()
      let watch = try ScriptedWatch(connection)
      try watch.tell(ScriptedWatch.mark("live", 17, history: "h"))
      for item in Self.items { try watch.tell(item) }
      #expect(throws: ScriptError.ended) { try connection.request() }
    } client: { (address) async throws in
      let client = DocketClient(address)
      var events: [WatchEvent] = []
      let options = WatchOptions(from: .snapshot, tellsHeartbeats: true, tellsInterruptions: true)
      for try await event in client.watch(.collection("/n/"), options) {
        events.append(event)
        if events.count == 8 { break }
      }
      await client.close()
      return events
    }
  }

  @Test("a change has a line for people, and one for programs that is what the server told")
  func lines() async throws {
    let events = try await events()
    #expect(
      events.map { WatchLine.text($0).map { String(decoding: $0, as: UTF8.self) } } == [
        #"- snapshot /n/1 {"n": 1}"#, nil, "- reset", nil, #"18 created /n/18 {"a":   1}"#, "19 deleted /n/a%20b",
        "20 left /n/20 null", nil,
      ])
    #expect(
      events.map { WatchLine.json($0).map { String(decoding: $0, as: UTF8.self) } } == [
        ScriptedWatch.snapshot(1, history: "h"), nil, #"{"change": "reset"}"#,
        ScriptedWatch.mark("live", 17, history: "h"),
        Self.items[0].split(whereSeparator: \.isNewline).joined(separator: "  "), Self.items[1], Self.items[2], nil,
      ])
  }

  @Test("a command gets the change on its standard input and in its environment, and is told where to go on")
  func calls() async throws {
    let calls = try await events().map(WatchTrigger.Call.init)
    #expect(
      calls.map { $0?.variables.map(\.value) } == [
        ["", "snapshot", "/n/1"], nil, ["", "reset", ""], nil, ["18", "created", "/n/18"], ["19", "deleted", "/n/a b"],
        ["20", "left", "/n/20"], nil,
      ])
    #expect(calls[5]?.variables.map(\.name) == ["DOCKET_SEQUENCE", "DOCKET_CHANGE", "DOCKET_PATH"])
    #expect(calls[5].map { String(decoding: $0.input, as: UTF8.self) } == Self.items[1] + "\n")
    #expect(calls[5]?.remedy.contains("--since 18") == true)
    #expect(calls[0]?.remedy.contains("--since") == false)
  }
}
