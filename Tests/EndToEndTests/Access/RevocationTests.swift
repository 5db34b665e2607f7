import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  @Suite("takes rights away")
  struct RevocationTests {
    private static let watch = #"{"method":"GET","path":"/notes/?watch=true","id":"w"}"#

    /// A session with a token of these rules, which watches `/notes/`.
    private static func watcher(_ server: ServerProcess, token: String) throws -> AccessClient {
      let client = try AccessClient(server, token: token)
      #expect(try client.answer(watch)?.change == "live")
      return client
    }

    private static func expectEnd(_ client: AccessClient, sourceLocation: SourceLocation = #_sourceLocation) throws {
      let last = try #require(try client.next(), sourceLocation: sourceLocation)
      #expect(
        last.code == 401 && last.error == "invalid_token" && last.id == "w" && !last.continues, "\(last.text)",
        sourceLocation: sourceLocation)
    }

    @Test("by a request: watches end, requests are refused, and the name is free again")
    func byRequest() async throws {
      try await withServer { (server) throws in
        let (admin, _) = try server.shut()
        let token = try admin.makeToken("ci", ["read:/notes/"])
        let (first, second) = (try Self.watcher(server, token: token), try Self.watcher(server, token: token))
        let other = try Self.watcher(server, token: try admin.makeToken("other", ["read:/notes/"]))
        #expect(try admin.code("DELETE", "/_tokens/ci") == 204)
        // At once: the answer says that it holds.
        #expect(try AccessClient(server).code("GET", "/notes/1", token: token) == 401)
        for client in [first, second] {
          try Self.expectEnd(client)
          #expect(try client.answer(#"{"method":"GET","path":"/notes/1"}"#)?.error == "unauthorized")
          #expect(try client.answer(Self.watch)?.code == 401)
        }
        #expect(try admin.code("PUT", "/notes/1", data: "1") == 201)
        #expect(try other.next()?.path == "/notes/1")
        #expect(try admin.code("DELETE", "/_tokens/ci") == 404)
        let again = try admin.makeToken("ci", ["read:/notes/"])
        #expect(try first.code("GET", "/notes/1", token: token) == 401)
        #expect(try first.code("GET", "/notes/1", token: again) == 200)
      }
    }

    @Test("of the watches that were begun with it alone, where their connection has shown others as well")
    func afterAnotherToken() async throws {
      try await withServer { (server) throws in
        let (admin, adminToken) = try server.shut()
        let client = try Self.watcher(server, token: try admin.makeToken("ci", ["read:/notes/"]))
        let other = try admin.makeToken("other", ["read:/notes/"])
        let second =
          #"{"method":"GET","path":"/notes/?watch=true","id":"v","headers":{"Authorization":"Bearer \#(other)"}}"#
        #expect(try client.answer(second)?.change == "live")
        #expect(try client.code("GET", "/_tokens/", token: adminToken) == 200)
        #expect(try admin.code("DELETE", "/_tokens/ci") == 204)
        try Self.expectEnd(client)
        // What it has shown since holds, and so does what was begun with that.
        #expect(try client.code("GET", "/_tokens/") == 200)
        #expect(try admin.code("PUT", "/notes/1", data: "1") == 201)
        let change = try #require(try client.next())
        #expect(change.id == "v" && change.path == "/notes/1")
        #expect(try admin.code("DELETE", "/_tokens/other") == 204)
        let last = try #require(try client.next())
        #expect(last.code == 401 && last.id == "v" && !last.continues, "\(last.text)")
      }
    }

    @Test("when a token expires")
    func expiry() async throws {
      try await withServer { (server) throws in
        let (admin, _) = try server.shut()
        let token = try admin.makeToken("short", ["read:/notes/"], expiresIn: 2)
        let client = try Self.watcher(server, token: token)
        try Self.expectEnd(client)
        #expect(try client.code("GET", "/notes/1") == 401)
        #expect(try client.code("GET", "/notes/1", token: token) == 401)
        // It is shown still, and its name is free.
        #expect(try admin.answer(#"{"method":"GET","path":"/_tokens/"}"#)?.text.contains("\"short\"") == true)
        _ = try admin.makeToken("short", ["read:/notes/"])
      }
    }

    @Test("by sqlite3 on the file, which can delete tokens and does not open the server again")
    func bySQLite() async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database)
        let (admin, _) = try server.shut()
        let token = try admin.makeToken("ci", ["read:/notes/"])
        let client = try Self.watcher(server, token: token)
        let deleted = try Self.watcher(server, token: try admin.makeToken("deleted", ["read:/notes/"]))
        #expect(try SQLiteCommand.run(database, "DELETE FROM tokens WHERE name = 'deleted'").status == 0)
        try Self.expectEnd(deleted)
        #expect(try client.code("GET", "/notes/1") == 404)
        let update = "UPDATE tokens SET revoked_at = 1000 * unixepoch() WHERE name = 'ci'"
        #expect(try SQLiteCommand.run(database, update).status == 0)
        try Self.expectEnd(client)
        #expect(try client.code("GET", "/notes/1", token: token) == 401)
        // Other rights, too, and what is no list of rules gives none.
        let narrow = try Self.watcher(server, token: try admin.makeToken("narrow", ["read:/notes/"]))
        let change = #"UPDATE tokens SET allow = '["read:/notes/"' WHERE name = 'narrow'"#
        #expect(try SQLiteCommand.run(database, change).status == 0)
        try Self.expectEnd(narrow)
        #expect(try SQLiteCommand.run(database, "DELETE FROM tokens").status == 0)
        while try admin.code("GET", "/notes/1") != 401 { usleep(20_000) }
        #expect(server.stop() == .exited(0))
        #expect(server.complaints == [])

        // With none that holds it is shut all the same, after a restart as well.
        let second = try ServerProcess(database: database)
        #expect(try AccessClient(second).code("GET", "/notes/1") == 401)
        #expect(try AccessClient(second).code("GET", "/_health") == 200)
        #expect(second.stop() == .exited(0))
      }
    }

    @Test("from all, by the first token: those who are connected and their watches among them")
    func firstToken() async throws {
      try await withServer { (server) throws in
        let client = try AccessClient(server)
        #expect(try client.code("PUT", "/notes/1", data: "1") == 201)
        #expect(try client.answer(Self.watch)?.change == "live")
        // So that it is at hand for what is answered at once.
        for _ in 0..<3 { #expect(try client.code("GET", "/notes/1") == 200) }
        let (admin, _) = try server.shut()
        try Self.expectEnd(client)
        #expect(try client.code("GET", "/notes/1") == 401)
        #expect(try client.code("PUT", "/notes/1", data: "2") == 401)
        #expect(try client.code("POST", "/_tokens/", data: #"{"name":"me","allow":["admin"]}"#) == 401)
        #expect(try admin.answer(#"{"method":"GET","path":"/notes/1"}"#)?.text.contains("\"data\": 1") == true)
      }
    }

    @Test("and tells an operator what there is, and nobody a secret twice")
    func listing() async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database, ["--log-level", "debug"])
        let (admin, adminToken) = try server.shut()
        let token = try admin.makeToken("ci", ["read:/notes/", "stats"], expiresIn: 3_600)
        _ = try AccessClient(server).code("GET", "/notes/1", token: token)
        _ = try AccessClient(server).code(
          "GET", "/notes/1", token: token.replacingOccurrences(of: "docket_", with: "docket-"))
        let list = try #require(try admin.answer(#"{"method":"GET","path":"/_tokens/"}"#)).text
        #expect(list.contains(#""name": "ci""#) && list.contains(#""allow": ["read:/notes/", "stats"]"#), "\(list)")
        let secrets = [adminToken, token].map { String($0.suffix(43)) }
        #expect(!secrets.contains { list.contains($0) })
        #expect(server.stop() == .exited(0))
        #expect(
          !secrets.contains { server.process.errorOutput.contains($0) || server.process.remainingOutput.contains($0) })
        let file = try Data(contentsOf: URL(fileURLWithPath: database))
        #expect(!secrets.contains { file.range(of: Data($0.utf8)) != nil })
      }
    }
  }
}
