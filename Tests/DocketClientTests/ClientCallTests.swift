import DocketClient
import DocketTestSupport
import DocketWire
import NIOCore
import Testing

@Suite("A client's calls")
struct ClientCallTests {
  @Test("Calls made at once are each given their own answer, and only the first request asks for the session")
  func pipelining() async throws {
    try await ScriptedServer.run { server in
      let connection = try server.accept()
      for index in 0..<200 {
        let request = try connection.request()
        #expect((request.headers?["connection"] == "keep-alive") == (index == 0))
        #expect(index == 0 || request.headers == nil)
        try connection.answer(200, "OK", "\"\(String(buffer: request.path))\"")
      }
    } client: { address in
      let client = DocketClient(address)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for index in 0..<200 {
          group.addTask {
            let data = try await client.get("/numbers/\(index)")
            #expect(String(buffer: data) == "\"/numbers/\(index)\"")
          }
        }
        try await group.waitForAll()
      }
      await client.close()
    }
  }

  @Test("An answer that arrives byte by byte, with the next one behind it, is read")
  func splitAnswers() async throws {
    try await ScriptedServer.run { server in
      let connection = try server.accept()
      _ = try connection.request()
      for byte in ScriptedConnection.frame(200, "OK", #"{"text": "}]"}"#) + [0] { try connection.send([byte]) }
      _ = try connection.request()
      try connection.answer(204, "No Content")
    } client: { address in
      let client = DocketClient(address)
      let data = try await client.get("/notes/1")
      #expect(String(buffer: data) == #"{"text": "}]"}"#)
      try await client.delete("/notes/1")
      await client.close()
    }
  }

  @Test("A request carries method, path and document as they were given")
  func requests() async throws {
    try await ScriptedServer.run { server in
      let connection = try server.accept()
      let put = try connection.request()
      #expect(put.method == .put)
      #expect(String(buffer: put.path) == "/quotes/\"\\é")
      #expect(put.data.map { String(buffer: $0) } == "{\"a\" :  1.0}")
      try connection.answer(201, "Created", #"{"path": "/quotes/x", "id": "x", "revision": 9007199254740993}"#)
      let patch = try connection.request()
      #expect(patch.method == .patch)
      try connection.answer(200, "OK", #"{"path": "/quotes/x", "id": "x", "revision": 5, "later": [{}]}"#)
    } client: { address in
      let client = DocketClient(address)
      let created = try await client.put("/quotes/\"\\é", data: ByteBuffer(string: "{\"a\" :  1.0}"))
      #expect(created.isCreated)
      #expect(created.id == "x")
      #expect(created.revision == 9_007_199_254_740_993)
      let patched = try await client.patch("/quotes/x", data: ByteBuffer(string: "{}"))
      #expect(!patched.isCreated)
      await client.close()
    }
  }

  @Test("What is not one JSON text is told before anything is sent")
  func invalidDocuments() async throws {
    // Nobody listens there: a call that tried to connect would say so.
    let client = DocketClient(.tcp(host: "127.0.0.1", port: 1))
    for text in ["", "{", "1 2", "{}\0{\"method\": \"DELETE\"}"] {
      let error = await #expect(throws: DocketClientError.self) {
        try await client.put("/notes/1", data: ByteBuffer(string: text))
      }
      guard case .invalidDocument = error else {
        Issue.record("\(text): \(String(describing: error))")
        continue
      }
    }
    await client.close()
  }

  @Test("A refusal tells code, phrase, the error's name, what to do and how long to wait")
  func refusals() async throws {
    try await ScriptedServer.run { server in
      let connection = try server.accept()
      _ = try connection.request()
      try connection.answer(503, "Service Unavailable", #"{"error": "busy", "detail": "Try again.", "retryAfter": 1}"#)
      _ = try connection.request()
      try connection.answer(404, "Not Found")
    } client: { address in
      let client = DocketClient(address)
      let busy = await #expect(throws: DocketClientError.self) { try await client.get("/notes/1") }
      guard case .refused(let refusal) = busy else { throw try #require(busy) }
      #expect(refusal.code == 503)
      #expect(refusal.message == "Service Unavailable")
      #expect(refusal.error == "busy")
      #expect(refusal.retryAfter == 1)
      #expect("\(refusal)" == "503 Service Unavailable: Try again.")
      let missing = await #expect(throws: DocketClientError.self) { try await client.get("/list") }
      #expect(missing.map { "\($0)" } == "404 Not Found")
      await client.close()
    }
  }

  @Test("A collection is read page by page, each from the cursor of the one before, also past an empty page")
  func pages() async throws {
    try await ScriptedServer.run { server in
      let connection = try server.accept()
      func item(_ id: Int) -> String {
        #"{"path": "/n/\#(id)", "id": "\#(id)", "revision": \#(id), "created": "c", "updated": "u", "document": [\#(id)]}"#
      }
      let pages = [
        ("/n/?limit=2", #"{"items": [\#(item(1)), \#(item(2))], "next": "a+b"}"#),
        ("/n/?limit=2&after=a%2Bb", #"{"items": [], "next": "c"}"#),
        ("/n/?limit=2&after=c", #"{"items": [\#(item(3))], "next": null}"#),
      ]
      for (path, page) in pages {
        #expect(String(buffer: try connection.request().path) == path)
        try connection.answer(200, "OK", page)
      }
    } client: { address in
      let client = DocketClient(address)
      var documents: [String] = []
      for try await item in client.documents(in: "/n/", pageSize: 2) {
        documents.append(String(buffer: item.document))
      }
      #expect(documents == ["[1]", "[2]", "[3]"])
      await client.close()
    }
  }

  @Test("A document inside a page may be as deep as documents may be")
  func deepDocument() async throws {
    let depth = 128
    let document = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    try await ScriptedServer.run { server in
      let connection = try server.accept()
      _ = try connection.request()
      let item =
        #"{"path": "/n/1", "id": "1", "revision": 1, "created": "c", "updated": "u", "document": \#(document)}"#
      try connection.answer(200, "OK", #"{"items": [\#(item)], "next": null}"#)
    } client: { address in
      let client = DocketClient(address)
      let page = try await client.list("/n/")
      #expect(page.items.map { String(buffer: $0.document) } == [document])
      await client.close()
    }
  }

  @Test("A raw frame has a connection of its own; its answer ends with a NUL or with the connection")
  func rawFrames() async throws {
    try await ScriptedServer.run { server in
      for ending in [[], [UInt8(0)]] {
        let connection = try server.accept()
        #expect(String(buffer: try connection.frame()) == "not a request")
        try connection.send(Array("first ".utf8))
        try connection.send(Array("second".utf8) + ending)
        if ending.isEmpty { connection.close() } else { _ = try? connection.frame() }
      }
      try server.accept().close()
    } client: { (address) async throws in
      let client = DocketClient(address)
      let frame = ByteBuffer(string: "not a request")
      #expect(String(buffer: try await client.send(frame)) == "first second")
      #expect(String(buffer: try await client.send(frame)) == "first second")
      await #expect(throws: DocketClientError.connectionClosed(requestMayHaveHappened: true)) {
        try await client.send(frame)
      }
      await #expect(throws: DocketClientError.invalidFrame) {
        try await client.send(ByteBuffer(string: "a\0b"))
      }
    }
  }

  @Test("A connection's end is seen while a process runs that was started meanwhile")
  func endBesideChild() async throws {
    try await ScriptedServer.run { server in
      let connection = try server.accept()
      try withExtendedLifetime(ChildProcess("sleep", ["120"])) {
        connection.close()
        // Until the client's part has ended.
        _ = try? server.accept()
      }
    } client: { (address) async throws in
      let client = DocketClient(address)
      await #expect(throws: DocketClientError.connectionClosed(requestMayHaveHappened: true)) {
        try await client.send(ByteBuffer(string: "frame"))
      }
    }
  }
}
