import DocketClient
import DocketTestSupport
import DocketWire
import NIOCore
import Synchronization
import Testing

@testable import docket

@Suite("An export")
struct ExporterTests {
  private static func item(_ number: Int, _ rest: String = "") -> String {
    #"{"path": "/n/\#(number)", "id": "\#(number)", "revision": \#(number), "created": "c", "updated": "u"\#(rest), "document": [\#(number)]}"#
  }

  private static func line(_ number: Int, expires: String = "null") -> String {
    #"{"path": "/n/\#(number)", "revision": \#(number), "created": "c", "updated": "u", "expires": \#(expires), "document": [\#(number)]}"#
      + "\n"
  }

  private func export(
    _ query: DocumentQuery, in scope: QueryScope, script: @escaping @Sendable (ScriptedServer) throws -> Void
  ) async throws -> String {
    let written = Mutex("")
    try await ScriptedServer.run(script: script) { (address) async throws in
      let client = DocketClient(address)
      defer { Task { await client.close() } }
      try await ExportCommand.export(query, in: scope, from: client, isQuiet: true) { lines in
        written.withLock { $0 += String(buffer: lines) }
      }
    }
    return written.withLock { $0 }
  }

  private static func data(_ connection: ScriptedConnection, _ path: String) throws -> String? {
    let request = try connection.request()
    #expect(request.method == .get && String(buffer: request.path) == path)
    return request.data.map { String(buffer: $0) }
  }

  @Test("asks for pages of the newest revision, the next one before the last is written")
  func pages() async throws {
    let query = DocumentQuery(where: .json(ByteBuffer(string: #"{"a": 1}"#)), limit: 1000, isRecursive: true)
    let text = try await export(query, in: .database) { server in
      let connection = try server.accept()
      _ = try Self.data(connection, "/_stats")
      try connection.answer(200, "OK", #"{"history": "h", "revision": 17, "oldestRevision": 1}"#)
      for (cursor, items, next) in [
        ("", "\(Self.item(1)), \(Self.item(2, #", "expires": "e""#))", #""x""#), (#""after": "x", "#, "", #""y""#),
        (#""after": "y", "#, Self.item(3), "null"),
      ] {
        #expect(
          try Self.data(connection, "/_documents")
            == #"{"where": {"a": 1}, "limit": 1000, \#(cursor)"asOf": 17, "recursive": true}"#)
        try connection.answer(200, "OK", #"{"items": [\#(items)], "next": \#(next), "asOf": 17}"#)
      }
    }
    #expect(text == Self.line(1) + Self.line(2, expires: "\"e\"") + Self.line(3))
  }

  @Test("says what to do when its moment goes from the history meanwhile")
  func historyGone() async throws {
    let error = await #expect(throws: CommandFailure.self) {
      try await export(DocumentQuery(), in: .collection("/n/")) { server in
        let connection = try server.accept()
        _ = try Self.data(connection, "/_stats")
        try connection.answer(200, "OK", #"{"history": "h", "revision": 17, "oldestRevision": 1}"#)
        _ = try Self.data(connection, "/n/")
        try connection.answer(200, "OK", #"{"items": [\#(Self.item(1))], "next": "x", "asOf": 17}"#)
        _ = try Self.data(connection, "/n/")
        try connection.answer(410, "Gone", #"{"error": "history_gone", "detail": "d", "oldestRevision": 18}"#)
      }
    }
    #expect(error?.description.contains("--history-days") == true)
  }
}
