import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  /// Each limit, set by its flag to something that a test can meet.
  @Suite("keeps its limits")
  struct LimitTests {
    private static let keepAlive = #"{"method":"GET","path":"/","headers":{"Connection":"keep-alive"}}"# + "\0"

    private static func put(_ path: String, _ data: String) -> String {
      #"{"method":"PUT","path":"\#(path)","data":\#(data)}"#
    }

    private static func get(_ path: String) -> String { #"{"method":"GET","path":"\#(path)"}"# }

    @Test("--idle-timeout: a silent connection is closed, one that waits for nobody as well")
    func idle() async throws {
      try await withServer(["--idle-timeout", "0.5"]) { (server) throws in
        let silent = try server.connect()
        let persistent = try server.connect()
        try persistent.send(Self.keepAlive)
        #expect(try persistent.receiveFrame()?.contains("Hello") == true)
        #expect(try silent.receiveToEnd().isEmpty)
        #expect(try persistent.receiveFrame() == nil)
      }
    }

    @Test("--idle-timeout: nobody is closed before it is over, also when the server stood still")
    func neverEarly() async throws {
      try await withServer(["--idle-timeout", "1"]) { (server) throws in
        let clock = ContinuousClock()
        var open: [(socket: RawSocket, began: ContinuousClock.Instant)] = []
        func begin() throws {
          let socket = try server.connect()
          try socket.send(Self.keepAlive)
          _ = try socket.receiveFrame()
          open.append((socket, clock.now))
          try socket.send(Self.keepAlive)
        }
        for _ in 0..<100 {
          try begin()
          usleep(3_000)
        }
        usleep(300_000)
        try begin()
        _ = try open[100].socket.receiveFrame()
        server.process.signal(SIGSTOP)
        usleep(1_100_000)
        // Nobody who was silent for long enough is there any more; this one speaks.
        open = [(open[100].socket, clock.now)] + open[..<100]
        try open[0].socket.send(Self.keepAlive)
        server.process.signal(SIGCONT)
        while !open.isEmpty {
          open = try open.filter { socket, began in
            guard socket.hasInput(withinMilliseconds: 0), try !socket.receiveMore() else { return true }
            #expect(clock.now - began >= .seconds(1))
            return false
          }
          usleep(500)
        }
      }
    }

    @Test("--idle-timeout: whoever takes nothing is closed, also where the kernel has taken all")
    func deafReader() async throws {
      try await withServer(["--idle-timeout", "0.5"]) { (server) throws in
        let document = "\"" + String(repeating: "x", count: 240_000) + "\""
        _ = try server.exchange(Self.put("/deaf/1", document))
        let socket = try RawSocket(port: server.port, receiveBufferBytes: 4_096)
        try socket.send(Self.keepAlive)
        _ = try socket.receiveFrame()
        try socket.send(Self.get("/deaf/1") + "\0")
        func isAlone() throws -> Bool {
          try server.exchange(Self.get("/_stats")).contains(#""connections": {"native": 1"#)
        }
        let end = ContinuousClock.now + .seconds(30)
        while try !isAlone(), ContinuousClock.now < end { usleep(20_000) }
        #expect(try isAlone())
        // Until then.
        #expect(try !socket.receiveToEnd().isEmpty)
      }
    }

    @Test("--idle-timeout: whoever takes long answers slowly gets all of them, and may go on")
    func slowReader() async throws {
      try await withServer(["--idle-timeout", "1"]) { (server) throws in
        let document = "\"" + String(repeating: "x", count: 100_000) + "\""
        for number in 0..<40 { _ = try server.exchange(Self.put("/slowly/\(number)", document)) }
        let socket = try RawSocket(port: server.port, receiveBufferBytes: 4_096)
        try socket.send(Self.keepAlive)
        _ = try socket.receiveFrame()
        // More than the kernel takes; then so little at a time that for longer than it may be silent the kernel has no need of more.
        for _ in 0..<4 { try socket.send(Self.get("/slowly/?limit=1000") + "\0") }
        for _ in 0..<150 {
          #expect(try socket.receiveMore())
          usleep(20_000)
        }
        for _ in 0..<4 { #expect(try (socket.receiveFrame()?.utf8.count ?? 0) > 4_000_000) }
        // What the kernel takes whole.
        try socket.send(Self.get("/slowly/?limit=12") + "\0")
        for _ in 0..<150 where try socket.receiveMore() { usleep(20_000) }
        try socket.send(Self.get("/_health") + "\0")
        #expect(try (socket.receiveFrame()?.utf8.count ?? 0) > 1_200_000)
        #expect(try socket.receiveFrame()?.contains(#""code": 200"#) == true)
      }
    }

    @Test(
      "--frame-timeout is for one request: a client that is always in the midst of one is served as long as it goes on")
    func streaming() async throws {
      try await withServer(["--frame-timeout", "1"]) { (server) throws in
        let socket = try server.connect()
        try socket.send(Self.keepAlive)
        _ = try socket.receiveFrame()
        let request = Array(Self.get("/_health").utf8) + [0]
        var rest: [UInt8] = []
        for _ in 0..<12 {
          try socket.send(String(decoding: rest + request.prefix(20), as: UTF8.self))
          rest = Array(request.dropFirst(20))
          usleep(200_000)
        }
        try socket.send(String(decoding: rest, as: UTF8.self))
        for _ in 0..<12 { #expect(try socket.receiveFrame()?.contains(#""code": 200"#) == true) }
      }
    }

    @Test("--linger-timeout and --linger-bytes: what a client sends behind its answer is not read for ever")
    func linger() async throws {
      for arguments in [["--linger-timeout", "0.5"], ["--linger-bytes", "0", "--linger-timeout", "60"]] {
        try await withServer(arguments) { (server) throws in
          let socket = try server.connect()
          try socket.send(Self.get("/") + "\0more")
          #expect(try socket.receiveToEnd().contains("Hello"))
          // The server has shut its side and closes soon: then sending fails, which ends this loop.
          var sent = 0
          while (try? socket.send("x")) != nil, sent < 10_000 {
            sent += 1
            usleep(1000)
          }
          #expect(sent < 10_000)
        }
      }
    }

    @Test("What a client sends behind its last request does not cost it the answers that it has yet to take")
    func lingerBehindAnswers() async throws {
      try await withServer { server in
        let socket = try RawSocket(port: server.port, receiveBufferBytes: 4_096)
        let count = 2_000
        try socket.send(Self.keepAlive + (0..<count).map { Self.put("/a/\($0)", "1") + "\0" }.joined())
        // A document that is too long, of more than --linger-bytes.
        let document = [UInt8](repeating: UInt8(ascii: "x"), count: 40 << 20)
        for _ in 0..<4 {
          try? socket.sendWhatIsTaken(document)
          usleep(300_000)
        }
        var answers = 0
        while let frame = try? socket.receiveFrame() {
          answers += 1
          #expect(frame.contains(answers <= count + 1 ? #""code": 20"# : #""code": 413"#))
        }
        #expect(answers == count + 2)
      }
    }

    @Test("--max-depth and --max-document-bytes: a deeper document gets 422, a larger one 413")
    func documents() async throws {
      try await withServer(["--max-depth", "3", "--max-document-bytes", "20"]) { (server) throws in
        #expect(try server.exchange(Self.put("/a/1", "[[[1]]]")).contains(#""code": 201"#))
        #expect(try server.exchange(Self.put("/a/1", "[[[[1]]]]")).contains(#""code": 422"#))
        #expect(
          try server.exchange(Self.put("/a/1", "\"" + String(repeating: "x", count: 18) + "\"")).contains(
            #""code": 200"#))
        #expect(
          try server.exchange(Self.put("/a/1", "\"" + String(repeating: "x", count: 19) + "\"")).contains(
            "document_too_large"))
        #expect(
          try server.exchange(#"{"method":"POST","path":"/item","data":"\#(String(repeating: "x", count: 19))"}"#)
            == #"{"code": 413, "message": "Content Too Large", "data": null}"#)
      }
    }

    @Test("--page-bytes ends a page early, and next goes on; --list-bytes refuses the whole list")
    func pages() async throws {
      try await withServer(["--page-bytes", "25", "--list-bytes", "40"]) { (server) throws in
        for id in 1...5 { _ = try server.exchange(Self.put("/item/\(id)", #""0123456789""#)) }
        var seen = 0
        var after = ""
        for _ in 1...3 {
          let page = try server.exchange(Self.get("/item/?limit=100" + after))
          seen += page.components(separatedBy: "\"document\"").count - 1
          let next = try #require(page.components(separatedBy: "\"next\": ").last)
          after = next.hasPrefix("null") ? "" : "&after=" + next.dropFirst().prefix { $0 != "\"" }
        }
        #expect(seen == 5 && after.isEmpty)
        #expect(
          try server.exchange(Self.get("/list")) == #"{"code": 413, "message": "Content Too Large", "data": null}"#)
      }
    }

    @Test(
      "--max-pipelined-requests, --max-pipelined-bytes and --send-buffer-bytes only make requests wait: all are answered in order"
    )
    func pipelining() async throws {
      let limits = ["--max-pipelined-requests", "2", "--max-pipelined-bytes", "100", "--send-buffer-bytes", "1000"]
      try await withServer(limits) { (server) throws in
        let socket = try server.connect()
        let text = String(repeating: "x", count: 500)
        try socket.send(Self.keepAlive)
        _ = try socket.receiveFrame()
        for number in 0..<300 {
          try socket.send(#"{"method":"PUT","path":"/a/\#(number)","data":"\#(text)","id":\#(number)}"# + "\0")
          try socket.send(#"{"method":"GET","path":"/a/\#(number)","id":\#(number)}"# + "\0")
        }
        for number in 0..<300 {
          #expect(try socket.receiveFrame()?.hasSuffix("\"id\": \(number)}") == true)
          #expect(try socket.receiveFrame() == #"{"code": 200, "message": "OK", "data": "\#(text)", "id": \#(number)}"#)
        }
      }
    }

    @Test("--scan-timeout: a reading that takes too long gets 503 and when to try again")
    func scans() async throws {
      try await withServer(["--scan-timeout", "0.001"]) { (server) throws in
        let socket = try server.connect()
        try socket.send(Self.keepAlive)
        _ = try socket.receiveFrame()
        let text = String(repeating: "x", count: 100_000)
        for number in 0..<100 { _ = try socket.exchange(Self.put("/item/\(number)", "\"\(text)\"")) }
        let answer = try #require(try socket.exchange(Self.get("/item/?limit=1000")))
        #expect(
          answer.contains(#""code": 503"#) && answer.contains("deadline_exceeded") && answer.contains("retryAfter"))
      }
    }

    @Test("--write-queue-bytes: above it a write gets 503 at once, and those that wait are still done")
    func writeQueue() async throws {
      try await withDatabase { database in
        let server = try ServerProcess(
          database: database, ["--max-document-bytes", "100", "--write-queue-bytes", "1200", "--busy-timeout", "60"])
        let lock = try LockHolder(database)
        let sockets = try (0..<10).map { _ in try server.connect() }
        for (number, socket) in sockets.enumerated() { try socket.send(Self.put("/a/\(number)", "1") + "\0") }
        // The answers that come while the lock is held are refusals; the others wait for it.
        let refused = sockets.filter { $0.hasInput(withinMilliseconds: 500) }
        #expect(!refused.isEmpty && refused.count < sockets.count)
        for socket in refused { #expect(try socket.receiveToEnd().contains("overloaded")) }
        try lock.release()
        for socket in sockets where !refused.contains(where: { $0 === socket }) {
          #expect(try socket.receiveToEnd().contains(#""code": 201"#))
        }
        #expect(server.stop() == .exited(0))
      }
    }

    @Test("Where much waits to be written a client has no more than one batch there", arguments: [false, true])
    func crowd(isOfBatches: Bool) async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database, ["--busy-timeout", "60", "--batch-timeout", "60"])
        // The text of a document, or the many small ones of a batch.
        let text = String(repeating: "x", count: 900_000)
        let parts = Array(repeating: #"{"method":"PUT","path":"/a/1"}"#, count: 1_000).joined(separator: ",")
        let batch = #"{"method":"POST","path":"/_batch","data":{"requests":[\#(parts)]}}"# + "\0"
        let crowd = isOfBatches ? batch : Self.put("/a/1", "\"\(text)\"") + "\0"
        let lock = try LockHolder(database)
        let others = try (0..<40).map { _ in try server.connect() }
        for other in others { try other.send(crowd) }
        func waitingBytes() throws -> Int {
          let stats = try server.exchange(Self.get("/_stats"))
          let figure = try #require(stats.components(separatedBy: #""writeQueue": {"bytes": "#).last)
          return try #require(Int(figure.prefix { $0.isNumber }))
        }
        let full = others.count * (isOfBatches ? batch.utf8.count - 60 : text.utf8.count)
        while try waitingBytes() < full {}
        let before = try waitingBytes()
        let client = try server.connect()
        try client.send(Self.keepAlive)
        _ = try client.receiveFrame()
        try client.send(String(repeating: batch, count: 3))
        // So its three batches have come, and the first of them is there.
        while try waitingBytes() == before {}
        for _ in 0..<10 { #expect(try waitingBytes() < before + 2 * (batch.utf8.count - 60)) }
        try lock.release()
        for other in others { #expect(try other.receiveToEnd().hasPrefix(#"{"code": 20"#)) }
        for _ in 0..<3 { #expect(try client.receiveFrame()?.hasPrefix(#"{"code": 200, "#) == true) }
        #expect(server.stop() == .exited(0))
      }
    }

    @Test("The smallest --write-queue-bytes has room for a batch that is larger")
    func smallestWriteQueue() async throws {
      try await withServer(["--write-queue-bytes", "1"]) { server in
        let text = String(repeating: "x", count: 1_010)
        let parts = (0..<1_000).map { #"{"method":"PUT","path":"/a/\#($0)","data":"\#(text)"}"# }.joined(separator: ",")
        #expect(parts.utf8.count > (1 << 20) + 1_024)
        let answer = try server.exchange(#"{"method":"POST","path":"/_batch","data":{"requests":[\#(parts)]}}"#)
        #expect(answer.hasPrefix(#"{"code": 200, "#), "\(answer.prefix(300))")
      }
    }

    @Test("--history-days 0 keeps no old versions, and a small --checkpoint-pages no long log")
    func history() async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database, ["--history-days", "0", "--checkpoint-pages", "10"])
        let socket = try server.connect()
        try socket.send(Self.keepAlive)
        _ = try socket.receiveFrame()
        let text = String(repeating: "x", count: 5000)
        for _ in 0..<300 { _ = try socket.exchange(Self.put("/a/1", "\"\(text)\"")) }
        var versions = ""
        for _ in 0..<500 where versions != "1\n" {
          versions = try SQLiteCommand.run(database, "SELECT count(*) FROM changes").output
          usleep(20_000)
        }
        #expect(versions == "1\n")
        let log = try FileManager.default.attributesOfItem(atPath: database + "-wal")[.size] as? Int
        #expect(try #require(log) < 1 << 20)
        #expect(server.stop() == .exited(0))
      }
    }

    @Test("--insecure is asked for where others could reach the server")
    func insecure() async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database, ["--host", "0.0.0.0", "--insecure"])
        #expect(try server.exchange(Self.get("/")).contains("Hello"))
        #expect(server.stop() == .exited(0))
      }
    }
  }
}
