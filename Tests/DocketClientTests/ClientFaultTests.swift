import DocketClient
import DocketTestSupport
import DocketWire
import Foundation
import NIOCore
import Testing

@Suite("A client whose server fails")
struct ClientFaultTests {
  private static let json = ByteBuffer(string: "{}")
  private static let receipt = #"{"path": "/n/1", "id": "1", "revision": 1}"#

  @Test("GET, PUT and DELETE of a document are sent again when the connection is lost, in the middle of an answer too")
  func repetition() async throws {
    try await ScriptedServer.run { server in
      for expected in [Method.get, .put, .delete] {
        let lost = try server.accept()
        #expect(try lost.request().method == expected)
        try lost.send(ScriptedConnection.frame().dropLast(5))
        lost.close()
        let connection = try server.accept()
        let again = try connection.request()
        #expect(again.method == expected)
        #expect(again.headers?["Connection"] == "keep-alive")
        try connection.answer(200, "OK", Self.receipt)
        connection.close()
      }
    } client: { (address) async throws in
      for call in 0..<3 {
        let client = DocketClient(address)
        switch call {
        case 0: _ = try await client.get("/n/1")
        case 1: try await client.put("/n/1", data: Self.json)
        default: try await client.delete("/n/1")
        }
        await client.close()
      }
    }
  }

  @Test(
    "Without keys, POST, PATCH, writes to /item and writes on a condition are not sent again, and the error says that they may have happened"
  )
  func noRepetition() async throws {
    let calls: [(Method, String, Headers?)] = [
      (.post, "/n/", nil), (.patch, "/n/1", nil), (.put, "/item", nil), (.delete, "/item", nil),
      (.put, "/n/1", Headers([("If-Match", "1")])), (.delete, "/n/1", Headers([("If-None-Match", "1")])),
    ]
    try await ScriptedServer.run { server in
      for (method, _, headers) in calls {
        let lost = try server.accept()
        let request = try lost.request()
        #expect(request.method == method)
        #expect(request.headers?["Connection"] == "keep-alive")
        for field in headers?.fields ?? [] { #expect(request.headers?[field.name] == field.value) }
        lost.close()
      }
      // The next connection is for the next request, not for one of those again.
      let connection = try server.accept()
      #expect(try connection.request().method == .get)
      try connection.answer()
    } client: { (address) async throws in
      let client = DocketClient(address, configuration: ClientConfiguration(usesIdempotencyKeys: false))
      for (method, path, headers) in calls {
        await #expect(throws: DocketClientError.connectionClosed(requestMayHaveHappened: true)) {
          try await client.request(method, path, data: Self.json, headers: headers)
        }
      }
      _ = try await client.get("/n/1")
      await client.close()
    }
  }

  @Test("Every write has a key of its own, under which it is sent again when the connection is lost")
  func keys() async throws {
    let calls: [(Method, String)] = [
      (.post, "/n/"), (.patch, "/n/1"), (.put, "/item"), (.delete, "/item"), (.put, "/n/1"), (.delete, "/n/1"),
      (.post, "/_batch"),
    ]
    try await ScriptedServer.run { server in
      var keys: Set<String> = []
      var connection = try server.accept()
      for (method, path) in calls {
        let first = try connection.request()
        connection.close()
        connection = try server.accept()
        let again = try connection.request()
        #expect(again.method == method && String(buffer: again.path) == path)
        let key = try #require(again.headers?["Idempotency-Key"])
        #expect(first.headers?["Idempotency-Key"] == key && keys.insert(key).inserted)
        #expect(again.headers?["If-Match"] == "1")
        try connection.answer(200, "OK", Self.receipt)
      }
      let own = try connection.request()
      #expect(own.headers?["Idempotency-Key"] == "mine")
      try connection.answer()
      #expect(try connection.request().headers == nil)
      try connection.answer()
    } client: { (address) async throws in
      let client = DocketClient(address)
      for (method, path) in calls {
        _ = try await client.request(method, path, data: Self.json, headers: Headers([("If-Match", "1")]))
      }
      _ = try await client.request(.put, "/n/1", data: Self.json, headers: Headers([("idempotency-key", "mine")]))
      _ = try await client.get("/n/1")
      await client.close()
    }
  }

  @Test("What the server keeps no answer of has no key, and is sent again only if it is the same twice")
  func noKeys() async throws {
    try await ScriptedServer.run { server in
      for path in ["/_tokens/", "/_backups/"] {
        let lost = try server.accept()
        let request = try lost.request()
        #expect(String(buffer: request.path) == path && request.headers?["Idempotency-Key"] == nil)
        lost.close()
      }
      let lost = try server.accept()
      #expect(try lost.request().headers?["Idempotency-Key"] == nil)
      lost.close()
      let connection = try server.accept()
      #expect(try connection.request().headers?["Idempotency-Key"] == nil)
      try connection.answer()
    } client: { (address) async throws in
      let client = DocketClient(address)
      for path in ["/_tokens/", "/_backups/"] {
        await #expect(throws: DocketClientError.connectionClosed(requestMayHaveHappened: true)) {
          try await client.request(.post, path, data: Self.json)
        }
      }
      _ = try await client.request(.put, "/_collections/n/", data: Self.json)
      await client.close()
    }
  }

  @Test("A request is tried no more often than configured")
  func attempts() async throws {
    try await ScriptedServer.run { server in
      for _ in 0..<2 {
        let lost = try server.accept()
        _ = try lost.request()
        lost.close()
      }
      #expect(throws: (any Error).self) { try server.accept() }
    } client: { (address) async throws in
      let client = DocketClient(address, configuration: ClientConfiguration(maximumAttempts: 2))
      await #expect(throws: DocketClientError.connectionClosed(requestMayHaveHappened: true)) {
        try await client.get("/n/1")
      }
      await client.close()
    }
  }

  @Test("A connection that was closed while idle is opened again for the next call, whatever it is")
  func idleClose() async throws {
    try await ScriptedServer.run { server in
      for _ in 0..<3 {
        let connection = try server.accept()
        _ = try connection.request()
        try connection.send(ScriptedConnection.frame(201, "Created", Self.receipt))
        connection.close()
      }
    } client: { (address) async throws in
      let client = DocketClient(address)
      // The end of the connection is the end of the answer here, so that no call can meet the one before's connection.
      for _ in 0..<3 { try await client.post("/n/", data: Self.json) }
      await client.close()
    }
  }

  @Test("Where nobody listens, the error names the address and the reason")
  func connectionRefused() async throws {
    let nobody = try ScriptedServer(listens: false)
    let client = DocketClient(nobody.address, configuration: ClientConfiguration(maximumAttempts: 2))
    await #expect(throws: DocketClientError.connectionFailed(nobody.address, reason: "Connection refused")) {
      try await client.post("/n/", data: Self.json)
    }
    await client.close()
    withExtendedLifetime(nobody) {}
  }

  @Test(
    "A server that never answers: the call times out, its connection is given up, and the next call has another one")
  func silence() async throws {
    try await ScriptedServer.run { server in
      let silent = try server.accept()
      _ = try silent.request()
      #expect(throws: ScriptError.ended) { try silent.request() }
      let connection = try server.accept()
      _ = try connection.request()
      try connection.answer()
      #expect(throws: ScriptError.ended) { try connection.request() }
    } client: { (address) async throws in
      let impatient = DocketClient(address, configuration: ClientConfiguration(requestTimeout: .seconds(1)))
      await #expect(throws: DocketClientError.timedOut(requestMayHaveHappened: true)) {
        try await impatient.get("/n/1")
      }
      await impatient.close()
      let client = DocketClient(address)
      _ = try await client.get("/n/1")
      await client.close()
    }
  }

  @Test(
    "What is not an answer is an error, and the connection is not used again",
    arguments: ["hello\0", "[]\0", "{\"code\": 200, \"message\": \"OK\"}\0", "{\"code\": \"200\"", "\u{1}\0", "\0"])
  func garbage(text: String) async throws {
    try await ScriptedServer.run { server in
      let connection = try server.accept()
      _ = try connection.request()
      try connection.send(Array(text.utf8))
      if !text.hasSuffix("\0") { connection.close() }
      let next = try server.accept()
      _ = try next.request()
      try next.answer(200, "OK", "1")
    } client: { (address) async throws in
      let client = DocketClient(address, configuration: ClientConfiguration(usesIdempotencyKeys: false))
      let error = await #expect(throws: DocketClientError.self) { try await client.post("/n/", data: Self.json) }
      switch error {
      case .badAnswer? where text.hasSuffix("\0"): break
      case .connectionClosed(requestMayHaveHappened: true)? where !text.hasSuffix("\0"): break
      default: Issue.record("\(String(describing: error))")
      }
      #expect(String(buffer: try await client.get("/n/1")) == "1")
      await client.close()
    }
  }

  @Test("An answer longer than the limit is an error and is not kept")
  func tooLong() async throws {
    try await ScriptedServer.run { server in
      let connection = try server.accept()
      _ = try connection.request()
      try? connection.send([UInt8](repeating: UInt8(ascii: " "), count: 100_000))
    } client: { (address) async throws in
      let client = DocketClient(address, configuration: ClientConfiguration(maximumAnswerBytes: 1000))
      await #expect(throws: DocketClientError.badAnswer(reason: "longer than 1000 bytes")) {
        try await client.get("/n/1")
      }
      await client.close()
    }
  }

  @Test("A server that refuses the session with an answer and closes is heard")
  func oneShotRefusal() async throws {
    try await ScriptedServer.run { server in
      let connection = try server.accept()
      _ = try connection.request()
      try connection.send(ScriptedConnection.frame(503, "Service Unavailable", #"{"error": "too_many_connections"}"#))
    } client: { (address) async throws in
      let client = DocketClient(address)
      let error = await #expect(throws: DocketClientError.self) { try await client.get("/n/1") }
      guard case .refused(let refusal) = error else { throw try #require(error) }
      #expect(refusal.error == "too_many_connections")
      await client.close()
    }
  }

  @Test("A cancelled call ends at once, and its answer is not given to the call behind it")
  func cancellation() async throws {
    let (received, reception) = AsyncStream<Void>.makeStream()
    try await ScriptedServer.run { server in
      let connection = try server.accept()
      _ = try connection.request()
      reception.finish()
      #expect(String(buffer: try connection.request().path) == "/n/2")
      try connection.answer(200, "OK", "1")
      try connection.answer(200, "OK", "2")
    } client: { (address) async throws in
      let client = DocketClient(address)
      let call = Task { try await client.get("/n/1") }
      for await _ in received {}
      call.cancel()
      await #expect(throws: CancellationError.self) { try await call.value }
      #expect(String(buffer: try await client.get("/n/2")) == "2")
      await client.close()
    }
  }

  @Test("A task that is cancelled already sends nothing")
  func cancelledBefore() async throws {
    let client = DocketClient(.tcp(host: "127.0.0.1", port: 1))
    let call = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try await client.get("/n/1")
    }
    await #expect(throws: CancellationError.self) { try await call.value }
    await client.close()
  }

  @Test("Closing ends the calls that are on their way, and later calls are told")
  func closing() async throws {
    let (received, reception) = AsyncStream<Void>.makeStream()
    try await ScriptedServer.run { server in
      let connection = try server.accept()
      _ = try connection.request()
      reception.finish()
      #expect(throws: ScriptError.ended) { try connection.request() }
    } client: { (address) async throws in
      let client = DocketClient(address)
      let call = Task { try await client.get("/n/1") }
      for await _ in received {}
      await client.close()
      await #expect(throws: DocketClientError.connectionClosed(requestMayHaveHappened: true)) { try await call.value }
      await #expect(throws: DocketClientError.clientClosed) { try await client.get("/n/1") }
    }
  }

  @Test("A Unix domain socket serves as well")
  func unixSocket() async throws {
    let path = "/tmp/docket-client-\(UUID().uuidString).sock"
    defer { unlink(path) }
    try await ScriptedServer.run(unixSocket: path) { server in
      let connection = try server.accept()
      try connection.answer(200, "OK", "\"\(String(buffer: try connection.request().path))\"")
    } client: { (address) async throws in
      let client = DocketClient(address)
      #expect(String(buffer: try await client.echo(Self.json)) == "\"/echo\"")
      await client.close()
    }
  }
}
