import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  @Suite("has room for the answers of all that clients do not take")
  struct AnswerRoomTests {
    private static let keepAlive = #""headers":{"Connection":"keep-alive"}"#
    private static let document = 900_000

    private static func get(_ path: String) -> String { #"{"method":"GET","path":"\#(path)",\#(keepAlive)}"# + "\0" }

    /// A server with room for little more than a document of `document` bytes, which is `/large/0` to `/large/3`. `/small/1` is small.
    private func withRoom(
      _ arguments: [String] = [], _ body: @escaping @Sendable (ServerProcess) throws -> Void
    ) async throws {
      try await withServer(["--answer-total-bytes", "1000000"] + arguments) { server in
        let text = String(repeating: "x", count: Self.document)
        for number in 0..<4 {
          _ = try server.exchange(#"{"method":"PUT","path":"/large/\#(number)","data":"\#(text)"}"#)
        }
        _ = try server.exchange(#"{"method":"PUT","path":"/small/1","data":"\#(String(repeating: "y", count: 60))"}"#)
        try body(server)
      }
    }

    private static func client(_ server: ServerProcess) throws -> RawSocket {
      try RawSocket(port: server.port, receiveBufferBytes: 4_096)
    }

    /// Clients that fill the room, and take nothing: as many as it takes until it stays full, since what the kernels take of their
    /// answers is theirs.
    private static func fill(_ server: ServerProcess) throws -> [RawSocket] {
      var clients: [RawSocket] = []
      var looks: [Int] = []
      while looks.count < 3 || looks.last != looks.first || looks.first ?? 0 <= 1_000_000 {
        if clients.count < 6 || looks.count == 3 && looks.last == looks.first {
          let client = try client(server)
          try client.send(String(repeating: get("/large/0"), count: 8))
          clients.append(client)
          try #require(clients.count < 50)
        }
        usleep(100_000)
        looks = try looks.suffix(2) + [waitingBytes(server)]
      }
      return clients
    }

    private static func waitingBytes(_ server: ServerProcess) throws -> Int {
      let stats = try server.exchange(#"{"method":"GET","path":"/_stats"}"#)
      let figure = try #require(stats.components(separatedBy: #""waitingAnswers": {"bytes": "#).last)
      return try #require(Int(figure.prefix { $0.isNumber }))
    }

    /// The codes of answers that clients get who begin to read.
    private static func codes(_ clients: [RawSocket], answers: Int) throws -> [String] {
      try clients.flatMap { client in
        try (0..<answers).map { _ in String((try client.receiveFrame() ?? "nothing").dropFirst(9).prefix(3)) }
      }
    }

    @Test("Who has sent requests and waits for it loses none of them, is not taken for one whose frame does not end")
    func waiting() async throws {
      // A Unix socket, of whose answers the kernel takes little.
      let path = "/tmp/docket-\(UUID().uuidString).socket"
      try await withRoom(["--unix-socket", path, "--frame-timeout", "0.5"]) { server in
        let others = try Self.fill(server)
        let client = try RawSocket(unixSocket: path)
        let (times, count) = (8, 300)
        for _ in 0..<times {
          try client.send(String(repeating: Self.get("/small/1"), count: count))
          usleep(800_000)
        }
        for other in others { other.close() }
        let codes = try Self.codes([client], answers: times * count)
        #expect(codes.count { $0 == "200" } == times * count, "\(codes.first { $0 != "200" } ?? "")")
      }
    }

    @Test("What was kept under an idempotency key, and an echo, are told when there is room, if they are large")
    func repeated() async throws {
      try await withRoom { server in
        let key = #""headers":{"Connection":"keep-alive","Idempotency-Key":"k"}"#
        let reads = #"{"method":"GET","path":"/large/0"}"#
        let batch = #"{"method":"POST","path":"/_batch","data":{"requests":[\#(reads)]},\#(key)}"# + "\0"
        let text = String(repeating: "z", count: 800_000)
        let echo = #"{"method":"GET","path":"/echo","data":"\#(text)",\#(Self.keepAlive)}"#
        let small = #"{"method":"GET","path":"/echo","data":1,\#(Self.keepAlive)}"#
        let client = try RawSocket(port: server.port)
        try client.send(batch)
        #expect(try Self.codes([client], answers: 1) == ["200"])
        let others = try Self.fill(server)
        try client.send(batch + echo + "\0" + small + "\0")
        #expect(try Self.codes([client], answers: 3) == ["503", "503", "200"])
        for other in others { other.close() }
        for _ in 0..<300 where try Self.waitingBytes(server) > 100_000 { usleep(100_000) }
        try client.send(batch + echo + "\0")
        let frames = try (0..<2).map { _ in try client.receiveFrame() ?? "" }
        #expect(frames.allSatisfy { $0.hasPrefix(#"{"code": 200"#) })
        #expect(frames[0].contains(#""Idempotency-Replayed": "true""#))
      }
    }

    @Test("Who waits for it costs the server nothing", .disabled(if: EndToEnd.isSanitized))
    func idle() async throws {
      try await withRoom { server in
        let others = try Self.fill(server)
        let clients = try (0..<4).map { _ in try Self.client(server) }
        // As much as the kernels take of their requests, and then nothing.
        let requests = Array(String(repeating: Self.get("/small/1"), count: 40_000).utf8)
        for client in clients { try client.sendWhatIsTaken(requests) }
        var rests = false
        // What they have sent is answered first, as far as the kernels take answers: tens of thousands, on a machine that does much else.
        for _ in 0..<300 where !rests {
          let before = try server.processorSeconds()
          usleep(500_000)
          rests = try server.processorSeconds() - before < 0.05
        }
        #expect(rests)
        for other in others + clients { other.close() }
      }
    }

    @Test(
      "The memory of answers that nobody took is given back when their clients go", .disabled(if: EndToEnd.isSanitized))
    func memory() async throws {
      try await withServer { server in
        let text = String(repeating: "x", count: Self.document)
        _ = try server.exchange(#"{"method":"PUT","path":"/large/0","data":"\#(text)"}"#)
        let reads = Array(repeating: Self.get("/large/0").dropLast(), count: 4).joined(separator: ",")
        let batch = #"{"method":"POST","path":"/_batch","data":{"requests":[\#(reads)]},\#(Self.keepAlive)}"# + "\0"
        let before = try server.residentBytes()
        let clients = try (0..<150).map { _ in
          let client = try Self.client(server)
          try client.send(String(repeating: batch, count: 8))
          return client
        }
        // Of each some the kernel has taken, and the rest is there.
        let peak = try Self.residentBytes(server, seconds: 10) { $0 >= before + 100 << 20 }
        #expect(peak >= before + 100 << 20, "\((peak - before) >> 20) MiB more")
        for client in clients { client.close() }
        let after = try Self.residentBytes(server, seconds: 10) { $0 < before + 60 << 20 }
        #expect(after < before + 60 << 20, "\((after - before) >> 20) MiB more")
      }
    }

    /// What the server's memory is once it is as it should be, or so many seconds later.
    private static func residentBytes(
      _ server: ServerProcess, seconds: Int, until isReached: (Int) -> Bool
    ) throws -> Int {
      var bytes = try server.residentBytes()
      for _ in 0..<10 * seconds where !isReached(bytes) {
        usleep(100_000)
        bytes = try server.residentBytes()
      }
      return bytes
    }

    @Test("So is that of smaller ones, which the C library keeps", .disabled(if: EndToEnd.isSanitized))
    func memoryOfSmallerOnes() async throws {
      try await withServer { server in
        let text = String(repeating: "x", count: Self.document)
        _ = try server.exchange(#"{"method":"PUT","path":"/large/0","data":"\#(text)"}"#)
        let before = try server.residentBytes()
        let requests = #"{"method":"PUT","path":"/small/1","data":1,\#(Self.keepAlive)}"# + "\0" + Self.get("/large/0")
        var peak = 0
        for _ in 0..<3 {
          let clients = try (0..<200).map { _ in
            let client = try Self.client(server)
            try client.send(String(repeating: requests, count: 8))
            return client
          }
          peak = try Self.residentBytes(server, seconds: 30) { $0 >= before + 120 << 20 }
          for client in clients { client.close() }
        }
        #expect(peak >= before + 120 << 20, "\((peak - before) >> 20) MiB more")
        let after = try Self.residentBytes(server, seconds: 30) { $0 < before + 80 << 20 }
        #expect(after < before + 80 << 20, "\((after - before) >> 20) MiB more")
      }
    }

    @Test("Where there is none, batches whose answers are short are carried out all the same")
    func smallBatches() async throws {
      try await withRoom { server in
        let others = try Self.fill(server)
        for (requests, code) in [
          (#"{"method":"GET","path":"/small/1"},{"method":"PUT","path":"/n/1","data":1}"#, 200),
          (#"{"method":"PUT","path":"/n/2","data":1},{"method":"GET","path":"/large/0"}"#, 503),
        ] {
          let answer = try server.exchange(#"{"method":"POST","path":"/_batch","data":{"requests":[\#(requests)]}}"#)
          #expect(answer.hasPrefix("{\"code\": \(code), "), "\(answer.prefix(200))")
        }
        #expect(try server.exchange(#"{"method":"GET","path":"/n/1"}"#).contains("200"))
        #expect(try server.exchange(#"{"method":"GET","path":"/n/2"}"#).contains("404"))
        for other in others { other.close() }
      }
    }

    @Test("Answers that wait for the answer to a write are in it, too")
    func overtaking() async throws {
      try await withRoom { server in
        let clients = try (0..<60).map { _ in try Self.client(server) }
        for (number, client) in clients.enumerated() {
          try client.send(
            #"{"method":"PUT","path":"/n/\#(number)","data":1,\#(Self.keepAlive)}"# + "\0" + Self.get("/large/0"))
        }
        usleep(500_000)
        let codes = try Self.codes(clients, answers: 2)
        #expect(codes.count { $0 == "503" } >= 40, "\(codes)")
        #expect(codes.count { $0 == "201" } == 60 && codes.contains("200"))
      }
    }

    @Test("Batches that read are in it as well: those without room change nothing", arguments: [false, true])
    func batches(_ writes: Bool) async throws {
      try await withRoom { server in
        let clients = try (0..<40).map { _ in try Self.client(server) }
        let reads = (0..<4).map { #"{"method":"GET","path":"/large/\#($0)"}"# }.joined(separator: ",")
        for (number, client) in clients.enumerated() {
          let write = writes ? #"{"method":"PUT","path":"/n/\#(number)","data":1},"# : ""
          try client.send(
            #"{"method":"POST","path":"/_batch","data":{"requests":[\#(write)\#(reads)]},\#(Self.keepAlive)}"# + "\0")
        }
        usleep(2_000_000)
        let codes = try Self.codes(clients, answers: 1)
        #expect(codes.count { $0 == "503" } >= 25, "\(codes)")
        #expect(codes.contains("200") && codes.allSatisfy { ["200", "503"].contains($0) })
        let kept = try server.exchange(#"{"method":"GET","path":"/n/?limit=100"}"#)
        #expect(kept.components(separatedBy: #""path": "/n/"#).count - 1 == (writes ? codes.count { $0 == "200" } : 0))
      }
    }
  }
}
