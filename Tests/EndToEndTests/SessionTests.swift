import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  @Suite("keeps sessions")
  struct SessionTests {
    @Test("answering pipelined requests in order, each seeing what those before it did")
    func pipelining() async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database)
        let client = try server.connect()
        var frames = #"{"method":"GET","path":"/","id":"first","headers":{"Connection":"keep-alive"}}"# + "\0"
        for n in 0..<300 {
          frames += #"{"method":"PUT","path":"/n/1","data":\#(n),"id":\#(n * 2)}"# + "\0"
          frames += #"{"method":"GET","path":"/n/1","id":\#(n * 2 + 1)}"# + "\0"
        }
        try client.send(frames)
        client.finishSending()
        #expect(
          try client.receiveFrame()?.hasPrefix(
            #"{"code": 200, "message": "OK", "data": "Hello, World!", "id": "first", "headers": {"#) == true)
        for n in 0..<300 {
          let put = try client.receiveFrame() ?? "nothing"
          #expect(put.hasPrefix(#"{"code": 20"#) && put.hasSuffix(#", "id": \#(n * 2)}"#), "\(put)")
          #expect(try client.receiveFrame() == #"{"code": 200, "message": "OK", "data": \#(n), "id": \#(n * 2 + 1)}"#)
        }
        #expect(try client.receiveToEnd() == "")
        #expect(server.stop() == .exited(0))
      }
    }

    @Test("but ends with the first answer for one that asks for both, keep-alive and close")
    func keepAliveAndClose() async throws {
      try await withServer { (server) throws in
        let client = try server.connect()
        try client.send(#"{"method":"GET","path":"/","headers":{"Connection":"keep-alive, close"}}"# + "\0")
        #expect(try client.receiveToEnd().contains("Hello, World!"))
      }
    }

    @Test("that a client ends by shutting down its sending side, and still gets its answers")
    func halfClosed() async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database)
        let client = try server.connect()
        try client.send(#"{"method":"POST","path":"/item","data":"x"}"# + "\0")
        client.finishSending()
        #expect(try client.receiveToEnd() == #"{"code": 201, "message": "Created", "data": null}"#)
        #expect(server.stop() == .exited(0))
      }
    }

    @Test("that read documents byte for byte as they were written, over a restart, up to 1 MiB")
    func byteForByte() async throws {
      try await withDatabase { database in
        let texts = [
          #"{"b" :1.50,   "a":[1E400,-0],"a":"\u0000\/é"}"#, "\"" + String(repeating: "y", count: 1_048_574) + "\"",
          "123456789012345678901234567890", "\"\\ud800\"",
        ]
        var server = try ServerProcess(database: database)
        for (n, text) in texts.enumerated() {
          #expect(
            try server.exchange(#"{"method":"PUT","path":"/n/\#(n)","data":\#(text)}"#).hasPrefix(#"{"code": 201, "#))
        }
        for restarts in 0..<2 {
          for (n, text) in texts.enumerated() {
            let answer = try server.exchange(#"{"method":"GET","path":"/n/\#(n)"}"#)
            #expect(
              answer == #"{"code": 200, "message": "OK", "data": "# + text + "}", "\(n) after \(restarts) restarts")
          }
          #expect(server.stop() == .exited(0))
          server = try ServerProcess(database: database)
        }
        #expect(
          try server.exchange(#"{"method":"PUT","path":"/n/x","data":" \#(texts[1].dropFirst())}"#)
            .hasPrefix(#"{"code": 413, "#))
        #expect(server.stop() == .exited(0))
      }
    }

    @Test("giving documents made over the restart ids that go on rising")
    func idsRise() async throws {
      try await withDatabase { database in
        for _ in 0..<3 {
          let server = try ServerProcess(database: database)
          for n in 0..<3 {
            #expect(try server.exchange(#"{"method":"POST","path":"/n/","data":\#(n)}"#).hasPrefix(#"{"code": 201, "#))
          }
          #expect(server.stop() == .exited(0))
        }
        let rising = try SQLiteCommand.run(
          database, "SELECT group_concat(data, '') FROM (SELECT data FROM documents ORDER BY id);")
        #expect(rising.output == "012012012\n")
        let byRevision = try SQLiteCommand.run(
          database, "SELECT group_concat(revision, ' ') FROM (SELECT revision FROM documents ORDER BY id);")
        #expect(byRevision.output == "1 2 3 4 5 6 7 8 9\n")
      }
    }
  }
}
