import DocketClient
import DocketTestSupport
import DocketWire
import NIOCore
import Testing

@Suite("A client with a token")
struct TokenTests {
  private static let token = "docket_abc_secret"
  private static let bearer = "Bearer docket_abc_secret"
  private static let refusal = #"{"error": "invalid_token", "detail": "The token is not taken."}"#
  private static let ownHeaders = Headers([("authorization", "Bearer own")])

  private static func client(_ address: ServerAddress) -> DocketClient {
    DocketClient(address, configuration: ClientConfiguration(maximumPause: .milliseconds(1), token: token))
  }

  private static func refusal(of call: () async throws -> Void) async throws -> Refusal {
    let error = await #expect(throws: DocketClientError.self) { try await call() }
    guard case .refused(let refusal) = error else { throw try #require(error) }
    #expect(!"\(refusal)".contains("secret"))
    return refusal
  }

  @Test("shows it with the first request of each connection, with one that is sent again too, and with no other")
  func firstRequests() async throws {
    try await ScriptedServer.run { server in
      for number in 0..<3 {
        let connection = try server.accept()
        let first = try connection.request()
        #expect(first.headers?["Authorization"] == Self.bearer)
        #expect(first.headers?["Connection"] == "keep-alive")
        #expect(String(buffer: first.path) == (number == 0 ? "/n/1" : "/n/3"))
        // The second connection is lost before its first answer, so that the third gets the same request.
        guard number != 1 else { continue }
        try connection.answer()
        guard number == 0 else { continue }
        #expect(try connection.request().headers?["Authorization"] == nil)
        try connection.answer()
      }
    } client: { (address) async throws in
      let client = Self.client(address)
      for number in 1...3 { _ = try await client.get("/n/\(number)") }
      await client.close()
    }
  }

  @Test("shows it again behind an answer 401, since that leaves the connection without one, and behind another token")
  func again() async throws {
    try await ScriptedServer.run { server in
      let connection = try server.accept()
      #expect(try connection.request().headers?["Authorization"] == Self.bearer)
      try connection.answer(401, "Unauthorized", Self.refusal)
      #expect(try connection.request().headers?["Authorization"] == Self.bearer)
      try connection.answer()
      let own = try connection.request()
      #expect(own.headers?.fields.filter { $0.name.lowercased() == "authorization" }.map(\.value) == ["Bearer own"])
      try connection.answer()
      #expect(try connection.request().headers?["Authorization"] == Self.bearer)
      try connection.answer()
      #expect(try connection.request().headers?["Authorization"] == nil)
      try connection.answer()
    } client: { (address) async throws in
      let client = Self.client(address)
      let refusal = try await Self.refusal { _ = try await client.get("/n/1") }
      #expect(refusal.code == 401 && refusal.error == "invalid_token")
      _ = try await client.get("/n/2")
      _ = try await client.request(.get, "/n/3", headers: Self.ownHeaders)
      for number in 4...5 { _ = try await client.get("/n/\(number)") }
      await client.close()
    }
  }

  @Test(
    "is told what a server says of its rights, and asks once",
    arguments: [(401, "unauthorized"), (401, "invalid_token"), (403, "forbidden"), (429, "rate_limited")])
  func refusals(_ code: Int, _ error: String) async throws {
    try await ScriptedServer.run { server in
      let connection = try server.accept()
      #expect(String(buffer: try connection.request().path) == "/n/1")
      try connection.answer(code, "M", #"{"error": "\#(error)", "detail": "d", "retryAfter": 7}"#)
      #expect(throws: ScriptError.ended) { try connection.request() }
      #expect(throws: (any Error).self) { try server.accept() }
    } client: { (address) async throws in
      let client = Self.client(address)
      let refusal = try await Self.refusal { try await client.put("/n/1", data: ByteBuffer(string: "1")) }
      #expect(refusal.code == code && refusal.error == error && refusal.retryAfter == 7)
      await client.close()
    }
  }

  @Test("shows it with each connection of a watch, which ends for good once it is not taken")
  func watch() async throws {
    try await ScriptedServer.run { server in
      for number in 1...2 {
        let watch = try ScriptedWatch(try server.accept())
        #expect(watch.request.headers?["Authorization"] == Self.bearer)
        try watch.tell(ScriptedWatch.change(number, history: "h"))
        if number == 2 { try watch.end(401, "Unauthorized", "invalid_token") }
      }
      #expect(throws: (any Error).self) { try server.accept() }
    } client: { (address) async throws in
      let client = Self.client(address)
      var told: [Int64?] = []
      let refusal = try await Self.refusal {
        for try await case .change(let change) in client.watch(.database) { told.append(change.sequence) }
      }
      #expect(told == [1, 2] && refusal.error == "invalid_token")
      await client.close()
    }
  }

  @Test("goes on with a watch that had to wait its turn")
  func rateLimitedWatch() async throws {
    try await ScriptedServer.run { server in
      try ScriptedWatch(try server.accept()).end(429, "Too Many Requests", "rate_limited")
      let watch = try ScriptedWatch(try server.accept())
      #expect(watch.request.headers?["Authorization"] == Self.bearer)
      try watch.tell(ScriptedWatch.change(1, history: "h"))
    } client: { (address) async throws in
      let client = Self.client(address)
      for try await case .change(let change) in client.watch(.database) {
        #expect(change.sequence == 1)
        break
      }
      await client.close()
    }
  }

  @Test("shows it before a frame that is sent as it is")
  func frames() async throws {
    try await ScriptedServer.run { server in
      for isTaken in [true, false] {
        let connection = try server.accept()
        let greeting = try connection.request()
        #expect(greeting.headers?["Authorization"] == Self.bearer && String(buffer: greeting.path) == "/_health")
        #expect(String(buffer: try connection.frame()) == "no request")
        if isTaken { try connection.answer() } else { try connection.answer(401, "Unauthorized", Self.refusal) }
        try connection.answer(200, "OK", "1")
      }
    } client: { (address) async throws in
      let client = Self.client(address)
      let frame = ByteBuffer(string: "no request")
      #expect(Array((try await client.send(frame)).readableBytesView) == ScriptedConnection.frame(200, "OK", "1"))
      #expect(try await Self.refusal { _ = try await client.send(frame) }.error == "invalid_token")
      await client.close()
    }
  }

  @Test("tells nobody what it is")
  func secrecy() {
    var configuration = ClientConfiguration(token: Self.token)
    #expect(configuration.token == Self.token)
    var dumped = ""
    dump(configuration, to: &dumped)
    for text in ["\(configuration)", String(reflecting: configuration), dumped] {
      #expect(!text.contains("docket_abc"))
    }
    configuration.token = nil
    #expect(configuration.token == nil)
  }

  @Test("and one without sends no such header")
  func none() async throws {
    try await ScriptedServer.run { server in
      let connection = try server.accept()
      #expect(try connection.request().headers?["Authorization"] == nil)
      try connection.answer()
    } client: { (address) async throws in
      let client = DocketClient(address)
      _ = try await client.get("/n/1")
      await client.close()
    }
  }
}
