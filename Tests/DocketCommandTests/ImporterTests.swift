import DocketClient
import DocketTestSupport
import DocketWire
import Foundation
import NIOConcurrencyHelpers
import NIOCore
import Testing

@testable import docket

@Suite("An import whose server has troubles")
struct ImporterTests {
  /// Imports NDJSON, two documents or six lines a batch, from a server that follows a script.
  private func run(
    _ text: String, idField: String? = nil, stopsOnBadRecord: Bool = false, statePath: String? = nil,
    script: @escaping @Sendable (ScriptedServer) throws -> Void
  ) async throws -> ImportTally {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("import-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    let state = try statePath.flatMap { try ImportState(path: $0) } ?? ImportState(settings: "", size: nil)
    return try await ScriptedServer.run(script: script) { (address) async throws in
      let client = DocketClient(address)
      let source = try ImportSource(
        try ByteSource(path: path), format: .ndjson, from: state.place,
        target: try ImportTarget(collection: "/n/", idField: idField, maximumDocumentBytes: 100), isTyped: false,
        maximumDocumentBytes: 100)
      var importer = Importer(
        source, client: client, state: state,
        options: Importer.Options(
          limits: ImportBatch.Limits(requests: 2, bytes: 1000, records: 6), stopsOnBadRecord: stopsOnBadRecord,
          isQuiet: true, statePath: statePath, usesKeys: idField == nil))
      try await importer.run()
      await client.close()
      return importer.tally
    }
  }

  private static func stored(_ codes: Int...) -> String {
    let responses = codes.map { #"{"code": \#($0), "message": "m", "data": {"path": "/n/1"}}"# }
    return #"{"responses": [\#(responses.joined(separator: ", "))]}"#
  }

  private static func text(_ request: Request) -> String { request.data.map { String(buffer: $0) } ?? "" }

  @Test("batches are on their way together, and counted by what is answered")
  func pipelined() async throws {
    let tally = try await run("1\n2\n3\n") { server in
      let connection = try server.accept()
      let first = try connection.request()
      let second = try connection.request()
      #expect(String(buffer: first.path) == "/_batch")
      let post = #"{"method": "POST", "path": "/n/", "data": "#
      #expect(Self.text(first) == #"{"requests": [\#(post)1}, \#(post)2}]}"#)
      #expect(Self.text(second) == #"{"requests": [\#(post)3}]}"#)
      #expect(first.headers?["Idempotency-Key"] != second.headers?["Idempotency-Key"])
      try connection.answer(200, "OK", Self.stored(201, 200))
      try connection.answer(200, "OK", Self.stored(201))
    }
    #expect(tally == ImportTally(imported: 2, replaced: 1))
  }

  @Test("a batch whose answer is lost is sent again as it was", arguments: [nil, "id"])
  func lostAnswer(_ idField: String?) async throws {
    let tally = try await run(#"{"id": 1}"#, idField: idField) { server in
      let lost = try server.accept()
      let first = try lost.request()
      lost.close()
      let connection = try server.accept()
      let again = try connection.request()
      #expect(Self.text(first) == Self.text(again))
      #expect(first.headers?["Idempotency-Key"] == again.headers?["Idempotency-Key"])
      #expect((again.headers?["Idempotency-Key"] == nil) == (idField != nil))
      try connection.answer(200, "OK", Self.stored(201))
    }
    #expect(tally == ImportTally(imported: 1))
  }

  @Test("a server that is busy is asked again under the same key")
  func busy() async throws {
    let tally = try await run("1\n") { server in
      let connection = try server.accept()
      let first = try connection.request()
      try connection.answer(503, "Service Unavailable", #"{"error": "busy", "detail": "d", "retryAfter": 1}"#)
      #expect(try connection.request().headers?["Idempotency-Key"] == first.headers?["Idempotency-Key"])
      try connection.answer(200, "OK", Self.stored(201))
    }
    #expect(tally == ImportTally(imported: 1))
  }

  @Test(
    "what the server refuses is left out, under another key, or ends the import with its batch unsent",
    arguments: [true, false])
  func refused(_ stops: Bool) async throws {
    let lines = (1...20).map { "\($0)\n" }.joined()
    let tally = try await run(lines, stopsOnBadRecord: stops) { server in
      let connection = try server.accept()
      let sent = try (0..<4).map { _ in try connection.request() }
      try connection.answer(
        413, "Content Too Large",
        #"""
        {"error": "batch_failed", "detail": "d", "failed": 0, "response": {"code": 413, "message": "Content Too Large", \#
        "data": {"error": "document_too_large", "detail": "too large"}}}
        """#)
      for _ in sent.dropFirst() { try connection.answer(200, "OK", Self.stored(201, 201)) }
      if !stops {
        let again = try connection.request()
        #expect(Self.text(again) == #"{"requests": [{"method": "POST", "path": "/n/", "data": 2}]}"#)
        #expect(again.headers?["Idempotency-Key"] != sent[0].headers?["Idempotency-Key"])
        try connection.answer(200, "OK", Self.stored(201))
      }
      while (try? connection.request()) != nil { try connection.answer(200, "OK", Self.stored(201, 201)) }
    }
    // Four batches were on their way.
    #expect(tally == ImportTally(imported: stops ? 6 : 19, bad: 1))
  }

  @Test("a batch ends after a long run of lines that make no request, at the same place when it is resumed")
  func longRun() async throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("state-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let lines = "1\n" + String(repeating: "bad\n\n", count: 10) + "2\n"
    let key = NIOLockedValueBox<String?>(nil)
    await #expect(throws: DocketClientError.self) {
      try await run(lines, statePath: path) { server in
        let connection = try server.accept()
        #expect(Self.text(try connection.request()).contains("1}]}"))
        let last = try connection.request()
        #expect(Self.text(last).contains("[{\"method\": \"POST\", \"path\": \"/n/\", \"data\": 2}]"))
        key.withLockedValue { $0 = last.headers?["Idempotency-Key"] }
        try connection.answer(200, "OK", Self.stored(201))
        try connection.answer(507, "Insufficient Storage", #"{"error": "disk_full", "detail": "d"}"#)
      }
    }
    let state = try #require(try ImportState(path: path))
    #expect(state.place.number == 19 && state.tally == ImportTally(imported: 1, bad: 9))
    let tally = try await run(lines, statePath: path) { server in
      let connection = try server.accept()
      #expect(try connection.request().headers?["Idempotency-Key"] == key.withLockedValue { $0 })
      try connection.answer(200, "OK", Self.stored(201))
    }
    #expect(tally == ImportTally(imported: 2, bad: 10))
  }

  @Test("an answer that is about the whole batch ends the import")
  func fatal() async throws {
    let error = await #expect(throws: DocketClientError.self) {
      try await run("1\n2\n3\n") { server in
        let connection = try server.accept()
        _ = try connection.request()
        try connection.answer(507, "Insufficient Storage", #"{"error": "disk_full", "detail": "d"}"#)
      }
    }
    guard case .refused(let refusal)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(refusal.error == "disk_full")
  }
}
