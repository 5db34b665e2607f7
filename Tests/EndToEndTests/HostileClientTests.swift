import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  @Suite("outlives its clients")
  struct HostileClientTests {
    /// Runs a server, lets clients do what they want, and checks that it serves on, has nothing to complain of, and ends.
    private static func withServer(
      _ arguments: [String] = [], _ body: @escaping @Sendable (ServerProcess) throws -> Void
    ) async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database, arguments)
        try body(server)
        #expect(
          try server.exchange(#"{"method":"GET","path":"/"}"#)
            == #"{"code": 200, "message": "OK", "data": "Hello, World!"}"#)
        #expect(server.stop() == .exited(0))
        #expect(server.complaints == [])
      }
    }

    private static let unprocessable = #"{"code": 422, "message": "Unprocessable Entity", "data": null}"#

    @Test("that nest 100,000 brackets")
    func deepNesting() async throws {
      try await Self.withServer { (server) throws in
        let brackets = String(repeating: "[", count: 100_000)
        #expect(try server.exchange(brackets) == Self.unprocessable)
        #expect(try server.exchange(#"{"method":"GET","path":"/echo","data":\#(brackets)}"#) == Self.unprocessable)
        let braces = String(repeating: #"{"a":"#, count: 100_000)
        #expect(try server.exchange(braces) == Self.unprocessable)
        let closed = brackets + String(repeating: "]", count: 100_000)
        #expect(try server.exchange(#"{"method":"GET","path":"/echo","data":\#(closed)}"#) == Self.unprocessable)
        #expect(try server.exchange(#"{"method":"GET","path":"/","headers":\#(closed)}"#) == Self.unprocessable)
      }
    }

    @Test("that send a frame over the limit: 413, and the connection ends")
    func frameTooLong() async throws {
      try await Self.withServer { (server) throws in
        let socket = try server.connect()
        let answer = #"{"code": 413, "#
        // The server answers at the limit and then discards; the client may be cut off or not, but it gets its answer.
        try socket.send(Array(repeating: UInt8(ascii: "x"), count: 3 << 20))
        #expect(try socket.receiveToEnd().hasPrefix(answer))

        let persistent = try server.connect()
        _ = try persistent.exchange(#"{"method":"GET","path":"/","headers":{"Connection":"keep-alive"}}"#)
        try persistent.send(Array(repeating: UInt8(ascii: " "), count: 2 << 20))
        #expect(try persistent.receiveFrame()?.hasPrefix(answer) == true)
        #expect(try persistent.receiveFrame() == nil)
      }
    }

    @Test("that never end their frame: 408, however slowly they drip")
    func frameNeverEnds() async throws {
      try await Self.withServer(["--frame-timeout", "0.5"]) { (server) throws in
        let silent = try server.connect()
        try silent.send("{")
        #expect(try silent.receiveToEnd().hasPrefix(#"{"code": 408, "message": "Request Timeout", "#))
        let dripping = try server.connect()
        // Each byte comes well within any idle time; the frame as a whole does not end.
        repeat { try dripping.send(" ") } while !dripping.hasInput(withinMilliseconds: 20)
        #expect(try dripping.receiveToEnd().hasPrefix(#"{"code": 408, "message": "Request Timeout", "#))
      }
    }

    @Test("that say nothing, close in the middle of a frame, or reset before they read")
    func vanishingClients() async throws {
      try await Self.withServer { (server) throws in
        let silent = try (0..<50).map { _ in try server.connect() }
        for _ in 0..<50 {
          let closing = try server.connect()
          try closing.send(#"{"method":"GET","path":"/","da"#)
          closing.close()
          let resetting = try server.connect()
          try resetting.send(#"{"method":"PUT","path":"/n/1","data":1}"# + "\0")
          resetting.reset()
          let mute = try server.connect()
          mute.reset()
          let pipelining = try server.connect()
          let request = #"{"method":"GET","path":"/echo","data":1,"headers":{"Connection":"keep-alive"}}"# + "\0"
          try pipelining.send(String(repeating: request, count: 100))
          pipelining.reset()
        }
        for socket in silent { socket.close() }
        // What a client that vanished had sent may be done or not, but not by halves.
        let answer = try server.exchange(#"{"method":"GET","path":"/n/1"}"#)
        #expect(
          answer == #"{"code": 200, "message": "OK", "data": 1}"# || answer.hasPrefix(#"{"code": 404, "#), "\(answer)")
      }
    }

    @Test("that send bytes which are not UTF-8")
    func invalidUTF8() async throws {
      try await Self.withServer { (server) throws in
        for bytes: [UInt8] in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xC3]] {
          let socket = try server.connect()
          try socket.send(Array(#"{"method":"GET","path":"/echo","data":""#.utf8) + bytes + Array("\"}\0".utf8))
          #expect(try socket.receiveToEnd() == Self.unprocessable, "\(bytes)")
        }
      }
    }

    @Test("that split a request, and a character in it, between packets")
    func splitCharacters() async throws {
      try await Self.withServer { (server) throws in
        let text = "{\"method\":\"GET\",\"path\":\"/echo\",\"data\":\"é 日本 😀 e\u{301}\"}"
        let bytes = Array(text.utf8) + [0]
        for size in [1, 2, 3, 5] {
          let socket = try server.connect()
          for start in stride(from: 0, to: bytes.count, by: size) {
            try socket.send(Array(bytes[start..<min(start + size, bytes.count)]))
          }
          #expect(
            Array(try socket.receiveToEnd().utf8)
              == Array("{\"code\": 200, \"message\": \"OK\", \"data\": \"é 日本 😀 e\u{301}\"}".utf8))
        }
      }
    }

    @Test("that send malformed JSON of every kind")
    func malformed() async throws {
      try await Self.withServer { (server) throws in
        let texts = [
          "{", "}", "null", "1", "\"x\"", "{}{}", "{\"a\"}", "{\"a\":}", "{,}", "{\"a\":1,}", "{'a':1}", "{\"a\":01}",
          "{\"a\":1.}", "{\"a\":.5}", "{\"a\":+1}", "{\"a\":NaN}", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12\"}",
          "{\"a\":tru}",
          "{\"a\":\"\n\"}", "[1,]", "\u{FEFF}{}", "// {}", "{\"a\":1}x",
        ]
        for text in texts { #expect(try server.exchange(text) == Self.unprocessable, "\(text)") }
      }
    }

    @Test("that ask for what a one-shot session does not give: a second frame is never executed")
    func secondFrame() async throws {
      try await Self.withServer { (server) throws in
        let socket = try server.connect()
        try socket.send(
          "POST / HTTP/1.1\r\nHost: x\r\n\r\n\0"
            + #"{"method":"PUT","path":"/n/1","data":1,"headers":{"Connection":"keep-alive"}}"# + "\0")
        #expect(try socket.receiveToEnd().hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
        #expect(try server.exchange(#"{"method":"GET","path":"/n/1"}"#).hasPrefix(#"{"code": 404, "#))
      }
    }

    @Test("that end their side with much unread, and then read: each request is answered")
    func endsWithUnread() async throws {
      try await Self.withServer { (server) throws in
        let text = String(repeating: "x", count: 3_000)
        _ = try server.exchange(#"{"method":"PUT","path":"/n/1","data":"\#(text)"}"#)
        let request = #"{"method":"GET","path":"/n/1","headers":{"Connection":"keep-alive"}}"# + "\0"
        let socket = try server.connect()
        // More answers than the kernel and the server hold, so that reading is held back.
        let count = 12_000
        try socket.send(Array(String(repeating: request, count: count).utf8))
        socket.finishSending()
        var answers = 0
        while let answer = try socket.receiveFrame() {
          answers += 1
          guard answer.hasPrefix(#"{"code": 200, "#) else {
            Issue.record("\(answer.prefix(200))")
            break
          }
        }
        #expect(answers == count)
      }
    }

    @Test("that come by the thousand and stay")
    func manyConnections() async throws {
      let wanted = count("DOCKET_TEST_CONNECTIONS", default: 2_000)
      var limit = rlimit()
      getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
      limit.rlim_cur = limit.rlim_max
      setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
      let room = Int(clamping: limit.rlim_cur) - 400
      try #require(room >= wanted, "ulimit -n leaves room for \(room) connections")
      try await Self.withServer { (server) throws in
        let request = #"{"method":"GET","path":"/echo","data":1,"headers":{"Connection":"keep-alive"}}"#
        let sockets = try (0..<wanted).map { _ in try server.connect() }
        for socket in sockets { try socket.send(request + "\0") }
        for socket in sockets {
          #expect(try socket.receiveFrame()?.hasPrefix(#"{"code": 200, "message": "OK", "data": 1, "#) == true)
        }
        for socket in sockets.reversed() {
          #expect(try socket.exchange(request)?.hasPrefix(#"{"code": 200, "message": "OK", "data": 1, "#) == true)
        }
      }
    }

    @Test("that come when there are too many: 503, and room again when one leaves")
    func tooManyConnections() async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database, ["--max-connections", "3"])
        let request = #"{"method":"GET","path":"/","headers":{"Connection":"keep-alive"}}"#
        let sockets = try (0..<3).map { _ in try server.connect() }
        for socket in sockets { _ = try socket.exchange(request) }
        let refused = try server.connect()
        #expect(try refused.receiveToEnd().hasPrefix(#"{"code": 503, "message": "Service Unavailable", "#))
        try sockets[0].send(#"{"method":"GET","path":"/","headers":{"Connection":"close"}}"# + "\0")
        _ = try sockets[0].receiveToEnd()
        sockets[0].close()
        // The server may still be closing its side of that connection.
        var answer = ""
        for _ in 0..<1_000 where !answer.hasPrefix(#"{"code": 200, "#) {
          answer = (try? server.exchange(#"{"method":"GET","path":"/"}"#)) ?? ""
        }
        #expect(answer == #"{"code": 200, "message": "OK", "data": "Hello, World!"}"#)
        #expect(server.stop() == .exited(0))
      }
    }
  }
}
