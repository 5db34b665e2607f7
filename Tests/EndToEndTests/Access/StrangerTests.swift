import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  @Suite("meets strangers")
  struct StrangerTests {
    @Test("and lets them do what everybody may")
    func anonymous() async throws {
      try await withServer(["--allow-anonymous", "read:/public/ write:/inbox/", "--allow-anonymous", "read:/item/"]) {
        (server) throws in
        let (admin, _) = try server.shut()
        for path in ["/public/1", "/notes/1"] { #expect(try admin.code("PUT", path, data: "1") == 201) }
        let client = try AccessClient(server)
        #expect(try client.code("GET", "/public/1") == 200)
        #expect(try client.code("GET", "/public/") == 200)
        #expect(try client.code("GET", "/list") == 200)
        #expect(try client.code("PUT", "/inbox/1", data: "1") == 201)
        #expect(try client.code("GET", "/inbox/1") == 401)
        #expect(try client.code("PUT", "/public/1", data: "2") == 401)
        #expect(try client.code("GET", "/notes/1") == 401)
        #expect(try client.answer(#"{"method":"GET","path":"/_documents"}"#)?.paths == ["/public/1"])
        // It is every token's as well.
        let reader = try admin.makeToken("reader", ["read:/notes/"])
        #expect(try client.code("GET", "/notes/1", token: reader) == 200)
        #expect(try client.code("GET", "/public/1") == 200)
        #expect(try client.code("PUT", "/public/1", data: "2") == 403)
      }
    }

    @Test(
      "and is told wrongly how: one line, exit 2",
      arguments: [
        (["--allow-anonymous", "admin"], "every door"), (["--allow-anonymous", "read:notes"], "begin with a slash"),
        (["--allow-anonymous", "all"], "is no rule"), (["--allow-peer", "root"], "USER=RULE"),
        (["--allow-peer", "no-such-user=admin"], "no user"), (["--token-rate", "-1"], "--token-rate"),
        (["--address-rate", "10000001"], "--address-rate"),
        (["--stranger-frame-bytes", "511"], "--stranger-frame-bytes"),
        (["--stranger-frame-timeout", "0"], "--stranger-frame-timeout"),
        (["--stranger-idle-timeout", "86401"], "--stranger-idle-timeout"),
        (["--stranger-timeout", "0"], "--stranger-timeout"),
      ])
    func wrongOptions(options: [String], words: String) async throws {
      try await withDatabase { database in
        let process = try ChildProcess(Docket.path, ["serve", "--port", "0", "--database", database] + options)
        #expect(process.waitForEnd() == .exited(2))
        #expect(process.errorOutput.contains(words), "\(process.errorOutput)")
        #expect(!FileManager.default.fileExists(atPath: database))
      }
    }

    @Test("whose token it keeps, until a wrong one takes it away; a refusal does not end the session")
    func sessions() async throws {
      try await withServer { (server) throws in
        let (admin, _) = try server.shut()
        let token = try admin.makeToken("ci", ["read:/notes/"])
        let client = try AccessClient(server)
        let first = try #require(try client.answer(#"{"method":"GET","path":"/notes/1","headers":{}}"#))
        #expect(first.code == 401 && first.headers["WWW-Authenticate"] == "Bearer")
        #expect(try client.code("GET", "/notes/1", token: token) == 404)
        #expect(try client.code("GET", "/notes/1") == 404)
        #expect(try client.code("GET", "/other/1") == 403)
        #expect(try client.code("GET", "/notes/1") == 404)
        let wrong = try #require(
          try client.answer(#"{"method":"GET","path":"/notes/1","headers":{"authorization":"Bearer \#(token)A"}}"#))
        #expect(wrong.code == 401 && wrong.error == "invalid_token" && wrong.headers["WWW-Authenticate"] == "Bearer")
        #expect(try client.answer(#"{"method":"GET","path":"/notes/1"}"#)?.error == "unauthorized")
        #expect(try client.code("GET", "/_health") == 200)
        for form in ["bearer", "BEARER"] {
          let request = #"{"method":"GET","path":"/notes/1","headers":{"Authorization":"\#(form) \#(token)"}}"#
          #expect(try client.answer(request)?.code == 404)
        }
        // On a session of one request as on any other.
        #expect(
          try server.exchange(#"{"method":"GET","path":"/notes/1","headers":{"Authorization":"Bearer \#(token)"}}"#)
            .hasPrefix(#"{"code": 404, "#))
        #expect(try server.exchange(#"{"method":"GET","path":"/notes/1"}"#).hasPrefix(#"{"code": 401, "#))
        // Answers come in the order of the requests, whichever token each has.
        let pipelined = try AccessClient(server)
        let plain = #"{"method":"GET","path":"/notes/1"}"#
        let right = #"{"method":"GET","path":"/notes/1","headers":{"Authorization":"Bearer \#(token)"}}"#
        let bad = #"{"method":"GET","path":"/notes/1","headers":{"Authorization":"Bearer no"}}"#
        for request in [plain, right, plain, bad, plain, right] { try pipelined.send(request) }
        #expect(try (0..<6).map { _ in try pipelined.next()?.code } == [401, 404, 404, 401, 401, 404])
      }
    }

    @Test("and answers the sixth wrong token late, and a right one from there at once")
    func wrongTokens() async throws {
      try await withServer { (server) throws in
        let (_, token) = try server.shut()
        let client = try AccessClient(server)
        for _ in 0..<8 { try client.send(#"{"method":"GET","path":"/n/1","headers":{"Authorization":"Bearer no"}}"#) }
        #expect(try AccessClient(server).code("GET", "/n/1", token: token) == 404)
        for _ in 0..<8 { #expect(try client.next()?.error == "invalid_token") }
        #expect(try client.code("GET", "/n/1", token: token) == 404)
      }
    }

    // MARK: Before a token is known

    @Test("and takes a large request of theirs only where the token stands before the data")
    func tokenFirst() async throws {
      try await withServer { (server) throws in
        let (_, token) = try server.shut()
        let data = "\"data\":\"\(String(repeating: "x", count: 500_000))\""
        let headers = #""headers":{"Authorization":"Bearer \#(token)"}"#
        func answer(_ members: String...) throws -> WatchedFrame {
          let socket = try server.connect()
          try socket.send("{\(members.joined(separator: ","))}\0")
          return try WatchedFrame(try socket.receiveToEnd())
        }
        #expect(try answer(headers, #""method":"PUT","path":"/n/1""#, data).code == 201)
        #expect(try answer(#""method":"PUT""#, headers, #""path":"/n/2""#, data).code == 201)
        let late = try answer(#""method":"PUT","path":"/n/3""#, data, headers)
        #expect(late.code == 413 && late.error == "authenticate_first", "\(late.text)")
        let none = try answer(#""method":"PUT","path":"/n/3""#, data)
        #expect(none.code == 413 && none.error == "authenticate_first")
        let wrong = try answer(#""headers":{"Authorization":"Bearer no"},"method":"PUT","path":"/n/3""#, data)
        #expect(wrong.code == 401 && wrong.error == "invalid_token")
        // Up to the bound it is answered as any other, and with a token shown before it may be as large as ever.
        let client = try AccessClient(server)
        let small = "\"\(String(repeating: "x", count: 16_000))\""
        #expect(try client.code("PUT", "/n/3", data: small) == 401)
        #expect(try client.code("GET", "/n/1", token: token) == 200)
        #expect(try client.answer(#"{"method":"PUT","path":"/n/3",\#(data)}"#)?.code == 201)
        #expect(try client.code("GET", "/n/1", token: "no") == 401)
        #expect(try client.answer(#"{"method":"PUT","path":"/n/4",\#(data)}"#)?.error == "authenticate_first")
        #expect(try client.next() == nil)
      }
    }

    @Test("with a bound of its own for their frames")
    func frameBytes() async throws {
      try await withServer(["--stranger-frame-bytes", "600"]) { (server) throws in
        let (_, token) = try server.shut()
        func code(_ count: Int, token: String?) throws -> Int? {
          let client = try AccessClient(server, token: token)
          return try client.code("PUT", "/n/1", data: "\"\(String(repeating: "x", count: count))\"")
        }
        #expect(try code(500, token: nil) == 401)
        #expect(try code(600, token: nil) == 413)
        #expect(try code(600, token: token) == 201)
      }
    }

    @Test("who begin a request and do not end it, or say nothing: they are closed, and others are not")
    func timeouts() async throws {
      try await withServer([
        "--stranger-frame-timeout", "0.25", "--stranger-idle-timeout", "1", "--allow-anonymous", "read:/public/",
      ]) { (server) throws in
        let open = try AccessClient(server)
        let (_, token) = try server.shut()
        let known = try AccessClient(server, token: token)
        try known.socket.send(#"{"method":"GET","#)
        let watcher = try AccessClient(server)
        #expect(try watcher.answer(#"{"method":"GET","path":"/public/?watch=true","id":"w"}"#)?.change == "live")

        let slow = try server.connect()
        try slow.send("{")
        let answer = try WatchedFrame(try slow.receiveToEnd())
        #expect(answer.code == 408 && answer.error == "frame_timeout", "\(answer.text)")
        #expect(answer.text.contains("--stranger-frame-timeout"))
        let silent = try server.connect()
        #expect(try silent.receiveToEnd() == "")
        // One that was there before the first token as well.
        #expect(try open.next() == nil)

        try known.socket.send(#""path":"/n/1"}"# + "\0")
        #expect(try known.next()?.code == 404)
        #expect(try known.code("PUT", "/public/1", data: "1") == 201)
        #expect(try watcher.next()?.path == "/public/1")
      }
    }

    @Test("who keep asking what all may ask: they are closed in the end, unless something is open to them")
    func wholeTime() async throws {
      for anonymous in [[], ["--allow-anonymous", "read:/public/"]] {
        try await withServer(["--stranger-timeout", "0.5"] + anonymous) { (server) throws in
          let (_, token) = try server.shut()
          let known = try AccessClient(server, token: token)
          let stranger = try AccessClient(server)
          let begin = ContinuousClock.now
          var codes: Set<Int?> = []
          // As long as it may take; of those to whom something is open, well beyond the bound.
          let patience = Duration.seconds(anonymous.isEmpty ? 60 : 3)
          while ContinuousClock.now - begin < patience {
            guard (try? stranger.send(#"{"method":"GET","path":"/_health"}"#)) != nil,
              let frame = try? stranger.next()
            else {
              codes.insert(nil)
              break
            }
            codes.insert(frame.code)
            usleep(50_000)
          }
          #expect(codes == (anonymous.isEmpty ? [200, nil] : [200]))
          #expect(try known.code("GET", "/n/1") == 404)
        }
      }
    }

    @Test("who hold all places: the one that came first gives way to a new one, and who is known does not")
    func places() async throws {
      try await withServer(["--max-connections", "4", "--stranger-idle-timeout", "600", "--stranger-timeout", "600"]) {
        (server) throws in
        let token = try AccessClient(server).makeToken("admin", ["admin"])
        let known = try AccessClient(server, token: token)
        var strangers: [AccessClient] = []
        for _ in 0..<6 { strangers.append(try AccessClient(server)) }
        let another = try AccessClient(server, token: token)
        #expect(try another.code("GET", "/n/1") == 404)
        #expect(try known.code("GET", "/n/1") == 404)
        #expect(try strangers[0].next() == nil)
        #expect(try strangers[5].code("GET", "/_health") == 200)
        // All by people who are known: as ever.
        let others = try (0..<2).map { _ in try AccessClient(server, token: token) }
        #expect(try server.exchange(#"{"method":"GET","path":"/_health"}"#).contains("too_many_connections"))
        for client in [known, another] + others { #expect(try client.code("GET", "/n/1") == 404) }
      }
    }

    @Test("with requests beyond what a token, or an address, may make: 429, and when to come again")
    func rates() async throws {
      for option in ["--token-rate", "--address-rate"] {
        try await withServer([option, "1"]) { (server) throws in
          // What an open server is asked is counted by address alone.
          func patient(_ client: AccessClient, _ request: String) throws -> WatchedFrame? {
            while true {
              let frame = try client.answer(request)
              guard frame?.code == 429 else { return frame }
              usleep(100_000)
            }
          }
          let maker = try AccessClient(server)
          let made = try patient(
            maker, #"{"method":"POST","path":"/_tokens/","data":{"name":"a","allow":["read:/n/"]}}"#)
          let token = try #require(made?.token)
          let clients = try (0..<2).map { _ in try AccessClient(server) }
          let request = #"{"method":"GET","path":"/n/1","headers":{"Authorization":"Bearer \#(token)"}}"#
          var codes: [Int] = []
          for _ in 0..<20 { for client in clients { try client.send(request) } }
          for _ in 0..<20 {
            for client in clients {
              let frame = try #require(try client.next())
              codes.append(frame.code)
              guard frame.code == 429 else { continue }
              #expect(frame.error == "rate_limited" && frame.text.contains(option), "\(frame.text)")
              #expect(frame.retryAfter == 1 && frame.headers["Retry-After"] == "1", "\(frame.text)")
            }
          }
          #expect(codes.contains(429) && codes.allSatisfy { $0 == 429 || $0 == 404 }, "\(codes)")
          // It passes.
          #expect(try patient(clients[0], request)?.code == 404)
        }
      }
    }

    @Test("with wrong tokens, and with what are no requests, which count as requests do")
    func ratesOfOthers() async throws {
      try await withDatabase { database in
        let created = try Docket.run("token", "create", "a", "--allow", "admin", "--database", database)
        #expect(created.ending == .exited(0))
        let server = try ServerProcess(database: database, ["--address-rate", "1"])
        let wrong = #"{"method":"GET","path":"/n/1","headers":{"Authorization":"Bearer no"}}"#
        for (frame, code) in [(wrong, 401), ("nonsense", 422), ("[]", 422)] {
          let client = try AccessClient(server)
          var answer = try client.answer(frame)
          // Where time passes in between, one may be made.
          for _ in 0..<1_000 where answer?.code == code { answer = try client.answer(frame) }
          let last = try #require(answer)
          #expect(last.code == 429 && last.error == "rate_limited" && last.retryAfter == 1, "\(last.text)")
        }
        #expect(server.stop() == .exited(0))
      }
    }
  }
}
