import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  @Suite("ends in order at a signal")
  struct SignalTests {
    @Test("exits 0 with idle and stuck clients connected", arguments: [SIGTERM, SIGINT])
    func exitsWithClients(signal: Int32) async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database)
        let silent = try server.connect()
        let halfway = try server.connect()
        try halfway.send(#"{"method":"GET","#)
        let idle = try server.connect()
        _ = try idle.exchange(#"{"method":"GET","path":"/","headers":{"Connection":"keep-alive"}}"#)
        // A client that never reads: its answers fill every buffer on the way.
        let stuck = try server.connect()
        let large = String(repeating: "x", count: 900_000)
        _ = try stuck.exchange(
          #"{"method":"PUT","path":"/big/1","data":"\#(large)","headers":{"Connection":"keep-alive"}}"#)
        for _ in 0..<40 { try stuck.send(#"{"method":"GET","path":"/big/1"}"# + "\0") }
        #expect(try server.exchange(#"{"method":"GET","path":"/big/1"}"#).count > 900_000)

        server.process.signal(signal)
        // The promise is 5 s; the watchdog allows for a machine that is busy with other things.
        #expect(server.process.waitForEnd(seconds: 20) == .exited(0))
        #expect(server.complaints == [])
        _ = (silent, halfway, idle, stuck)
      }
    }

    @Test("answers everything that it has received")
    func answersWhatWasReceived() async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database)
        let client = try server.connect()
        let keepAlive = #""headers":{"Connection":"keep-alive"}"#
        let count = 400
        var frames = ""
        for n in 0..<count {
          frames += #"{"method":"PUT","path":"/n/\#(n)","data":\#(n),"id":\#(n),\#(keepAlive)}"# + "\0"
        }
        try client.send(frames)
        // The first answer shows that the packet has come.
        let first = try client.receiveFrame()
        server.process.signal(SIGTERM)
        var answers = [first]
        while let answer = try client.receiveFrame() { answers.append(answer) }
        #expect(server.process.waitForEnd() == .exited(0))
        #expect(!answers.isEmpty)
        for (n, answer) in answers.enumerated() {
          #expect(answer?.hasPrefix(#"{"code": 201, "#) == true && answer?.contains(#", "id": \#(n), "#) == true)
        }
        let stored = try SQLiteCommand.run(database, "SELECT count(*) FROM documents WHERE collection = '/n/';")
        #expect(stored.output == "\(answers.count)\n")
      }
    }

    @Test("tells nothing to those who have gone while queries were running and waiting for them")
    func endsWithQueries() async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database, ["--query-timeout", "60"])
        let text = String(repeating: "ab", count: 450_000)
        for n in 0..<4 { _ = try server.exchange(#"{"method":"PUT","path":"/n/\#(n)","data":{"t":"\#(text)"}}"#) }
        let piece = String(repeating: "ba", count: 30)
        let tests = (0..<60).map { #"{"t":{"$contains":"\#(piece)z\#($0)"}}"# }.joined(separator: ",")
        let clients = try (0..<8).map { _ in
          let client = try server.connect()
          try client.send(#"{"method":"GET","path":"/n/","data":{"where":{"$or":[\#(tests)]}}}"# + "\0")
          return client
        }
        usleep(50_000)
        server.process.signal(SIGTERM)
        for client in clients { client.close() }
        #expect(server.process.waitForEnd() == .exited(0))
        #expect(server.complaints == [])
      }
    }

    @Test("writes the log back, so that the file alone is the database")
    func fileStandsAlone() async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database)
        _ = try server.exchange(#"{"method":"PUT","path":"/n/1","data":1}"#)
        #expect(FileManager.default.fileExists(atPath: database + "-wal"))
        #expect(server.stop() == .exited(0))
        #expect(!FileManager.default.fileExists(atPath: database + "-wal"))
        #expect(!FileManager.default.fileExists(atPath: database + "-shm"))
        #expect(try SQLiteCommand.run(database, "SELECT data FROM documents;").output == "1\n")
      }
    }

    @Test("refuses connections once it has ended, and its port can be taken again at once")
    func portIsFree() async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database)
        _ = try server.exchange(#"{"method":"GET","path":"/"}"#)
        #expect(server.stop() == .exited(0))
        #expect(throws: RawSocket.Failure.self) { try server.connect() }
        let again = try ServerProcess(database: database, port: server.port)
        #expect(again.port == server.port)
        #expect(again.stop() == .exited(0))
      }
    }
  }
}
