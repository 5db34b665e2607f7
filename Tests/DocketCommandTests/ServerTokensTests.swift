import DocketClient
import DocketStore
import DocketTestSupport
import DocketWire
import NIOCore
import Testing

@testable import docket

@Suite("Tokens through a server")
struct ServerTokensTests {
  private static let listed =
    #"{"name": "ci", "id": "k3", "allow": ["read:/notes/", "stats"], "createdAt": "2026-11-25T11:06:40.000Z", "#
    + #""expiresAt": null"#

  private static let ci = ListedToken(
    name: "ci", id: "k3", rules: ["read:/notes/", "stats"], created: Timestamp(milliseconds: 1_795_604_800_000),
    expires: nil, revoked: nil)

  private func withKeeper<Value: Sendable>(
    _ script: @escaping @Sendable (ScriptedConnection) throws -> Void,
    _ body: @Sendable (ServerTokens) async throws -> Value
  ) async throws -> Value {
    try await ScriptedServer.run { server in
      try script(try server.accept())
    } client: { (address) async throws in
      let client = DocketClient(address, configuration: ClientConfiguration(maximumAttempts: 1, token: "docket_a_b"))
      let result = try await body(ServerTokens(client: client))
      await client.close()
      return result
    }
  }

  @Test("are made by a request that says all")
  func add() async throws {
    let (token, text) = try await withKeeper { connection in
      let request = try connection.request()
      #expect(request.method == .post && String(buffer: request.path) == "/_tokens/")
      #expect(request.headers?["Authorization"] == "Bearer docket_a_b")
      #expect(
        String(buffer: try #require(request.data))
          == #"{"name": "c\"i", "allow": ["read:/notes/", "admin"], "expiresIn": 5400}"#)
      try connection.answer(201, "Created", Self.listed + #", "token": "docket_k3_s"}"#)
    } _: {
      try await $0.add(
        TokenOrder(name: "c\"i", rules: [.read("/notes/"), .admin], lifetime: DurationText(seconds: 5400)))
    }
    #expect(token == Self.ci && text == "docket_k3_s")
    #expect(
      String(buffer: ServerTokens.request(TokenOrder(name: "a", rules: [.stats], lifetime: nil)))
        == #"{"name": "a", "allow": ["stats"]}"#)
  }

  @Test("are listed, page by page")
  func list() async throws {
    let tokens = try await withKeeper { connection in
      let first = try connection.request()
      #expect(first.method == .get && String(buffer: first.path) == "/_tokens/?limit=1000")
      try connection.answer(200, "OK", #"{"items": [\#(Self.listed), "revokedAt": null}], "next": "a&b"}"#)
      #expect(String(buffer: try connection.request().path) == "/_tokens/?limit=1000&after=a%26b")
      try connection.answer(
        200, "OK", #"{"items": [\#(Self.listed), "revokedAt": "2026-11-25T11:06:40.001Z"}], "next": null}"#)
    } _: {
      try await $0.list()
    }
    #expect(tokens.count == 2 && tokens[0] == Self.ci)
    #expect(tokens[1].revoked?.milliseconds == 1_795_604_800_001)
  }

  @Test("are not asked for without end", arguments: [("[]", "b"), (#"[\#(listed), "revokedAt": null}]"#, "a")])
  func endless(_ items: String, _ next: String) async throws {
    let failure = try await withKeeper { connection in
      _ = try connection.request()
      try connection.answer(200, "OK", #"{"items": [\#(Self.listed), "revokedAt": null}], "next": "a"}"#)
      _ = try connection.request()
      try connection.answer(200, "OK", #"{"items": \#(items), "next": "\#(next)"}"#)
    } _: { keeper in
      await #expect(throws: CommandFailure.self) { try await keeper.list() }
    }
    #expect(failure?.description.contains("leads nowhere") == true)
  }

  @Test("are there or not: one that is there is enough to know")
  func isOpen() async throws {
    let open = try await withKeeper { connection in
      for items in ["[]", #"[\#(Self.listed), "revokedAt": null}]"#] {
        #expect(String(buffer: try connection.request().path) == "/_tokens/?limit=1")
        try connection.answer(200, "OK", #"{"items": \#(items), "next": null}"#)
      }
    } _: {
      [try await $0.isOpen(), try await $0.isOpen()]
    }
    #expect(open == [true, false])
  }

  @Test("are revoked by a path that their name cannot leave, and it is told whether there was one")
  func revoke() async throws {
    let revoked = try await withKeeper { connection in
      for isThere in [true, false] {
        let request = try connection.request()
        #expect(request.method == .delete && String(buffer: request.path) == "/_tokens/a%2Fb")
        if isThere {
          try connection.answer(204, "No Content")
        } else {
          try connection.answer(404, "Not Found", #"{"error": "no_token", "detail": "d"}"#)
        }
      }
    } _: {
      [try await $0.revoke("a/b"), try await $0.revoke("a/b")]
    }
    #expect(revoked == [true, false])
  }

  @Test(
    "are refused with the way that does without the server",
    arguments: [(401, "unauthorized", true), (403, "forbidden", true), (409, "token_exists", false)])
  func refusals(_ code: Int, _ error: String, _ hasOtherWay: Bool) async throws {
    let failure = try await withKeeper { connection in
      _ = try connection.request()
      try connection.answer(code, "M", #"{"error": "\#(error)", "detail": "Why."}"#)
    } _: { keeper in
      await #expect(throws: CommandFailure.self) { try await keeper.list() }
    }
    let text = try #require(failure?.description)
    #expect(text.hasPrefix("\(code) M: Why"))
    #expect(text.contains("--database FILE") == hasOtherWay)
    #expect(text.contains("DOCKET_TOKEN") == (code == 401))
  }

  @Test("are out of reach where nobody listens, which is told with the way that does without")
  func unreachable() async throws {
    let nobody = try ScriptedServer(listens: false)
    let client = DocketClient(nobody.address, configuration: ClientConfiguration(maximumAttempts: 1))
    let failure = await #expect(throws: CommandFailure.self) { try await ServerTokens(client: client).list() }
    #expect(failure?.description.contains("is docket serve running on \(nobody.address)?") == true)
    #expect(failure?.description.hasSuffix("--database FILE") == true)
    await client.close()
    withExtendedLifetime(nobody) {}
  }

  @Test(
    "are not made up from an answer that is something else", arguments: ["1", "{}", #"{"items": [{"name": "a"}]}"#])
  func nonsense(_ data: String) async throws {
    let failure = try await withKeeper { connection in
      _ = try connection.request()
      try connection.answer(200, "OK", data)
    } _: { keeper in
      await #expect(throws: CommandFailure.self) { try await keeper.list() }
    }
    #expect(failure?.description.hasPrefix("not an answer: ") == true)
  }
}
