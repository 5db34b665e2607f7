import DocketClient
import DocketTestSupport
import DocketWire
import Foundation
import NIOCore
import Testing

extension EndToEnd {
  @Suite("serves its Swift client")
  struct ClientTests {
    /// Calls `body` with the address of a server.
    private func withServer(_ body: (ServerAddress, ServerProcess) async throws -> Void) async throws {
      try await TemporaryDatabase.use { path in
        let server = try await blocking { try ServerProcess(database: path) }
        try await body(.tcp(host: "127.0.0.1", port: server.port), server)
        let ending = try await blocking { server.stop() }
        #expect(ending == .exited(0))
      }
    }

    @Test("sixty-four clients that increment on conditions and patch fields of their own lose nothing")
    func concurrency() async throws {
      try await withServer { address, _ in
        let clients = (0..<64).map { _ in DocketClient(address) }
        try await clients[0].put("/n/sum", data: ByteBuffer(string: "0"))
        try await clients[0].put("/n/fields", data: ByteBuffer(string: "{}"))
        try await withThrowingTaskGroup(of: Void.self) { group in
          for (number, client) in clients.enumerated() {
            group.addTask {
              for _ in 0..<3 { try await Self.increment(client, "/n/sum") }
              for n in 0..<3 {
                try await client.patch("/n/fields", data: ByteBuffer(string: #"{"f\#(number)": \#(n)}"#))
                let operation = #"[{"op":"add","path":"/g\#(number)-\#(n)","value":1}]"#
                try await client.patch("/n/fields", data: ByteBuffer(string: operation))
              }
            }
          }
          try await group.waitForAll()
        }
        #expect(String(buffer: try await clients[0].get("/n/sum")) == "192")
        let fields = String(buffer: try await clients[0].get("/n/fields"))
        for number in 0..<64 { #expect(fields.contains("\"f\(number)\": 2") || fields.contains("\"f\(number)\":2")) }
        #expect(fields.components(separatedBy: "\"g").count - 1 == 64 * 3)
        for client in clients { await client.close() }
      }
    }

    /// Reads, and writes what is one more on the condition that nobody has come between, until nobody has.
    private static func increment(_ client: DocketClient, _ path: String) async throws {
      while true {
        let answer = try await client.request(.get, path, headers: Headers())
        let tag = answer.headers?["ETag"].flatMap { Int64($0.filter(\.isNumber)) }
        guard let revision = tag, let sum = Int(String(buffer: answer.data)) else {
          throw DocketClientError.badAnswer(reason: "\(answer)")
        }
        do {
          let options = WriteOptions(condition: .revision(revision))
          try await client.put(path, data: ByteBuffer(string: "\(sum + 1)"), options: options)
          return
        } catch DocketClientError.refused(let refusal) where refusal.code == 412 {}
      }
    }

    @Test("and its writes happen once each, while the server is killed and started again and again")
    func retries() async throws {
      try await TemporaryDatabase.use { path in
        let first = try await blocking { try ServerProcess(database: path) }
        let port = first.port
        let client = DocketClient(
          .tcp(host: "127.0.0.1", port: port),
          configuration: ClientConfiguration(maximumAttempts: 1_000, maximumPause: .milliseconds(50)))
        try await client.put("/n/list", data: ByteBuffer(string: #"{"list": []}"#))
        let writing = Task {
          try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
              group.addTask {
                for n in 0..<100 {
                  let patch = #"[{"op":"add","path":"/list/-","value":\#(task * 100 + n)}]"#
                  try await client.patch("/n/list", data: ByteBuffer(string: patch))
                }
              }
            }
            try await group.waitForAll()
          }
        }
        let last = try await blocking {
          var server = first
          for _ in 0..<8 {
            usleep(40_000)
            #expect(server.kill() == .signalled(SIGKILL))
            server = try ServerProcess(database: path, port: port)
          }
          return server
        }
        try await writing.value
        let list = String(buffer: try await client.get("/n/list"))
        let numbers = list.split { !$0.isNumber }.compactMap { Int($0) }
        #expect(numbers.sorted() == Array(0..<800))
        await client.close()
        let ending = try await blocking { last.stop() }
        #expect(ending == .exited(0))
      }
    }

    @Test("with batches, the past, conditions and lifetimes")
    func calls() async throws {
      try await withServer { address, _ in
        let client = DocketClient(address)
        func json(_ text: String) -> ByteBuffer { ByteBuffer(string: text) }
        let answers = try await client.batch([
          BatchedRequest(.put, "/n/1", data: json("1"), options: WriteOptions(condition: .absent)),
          BatchedRequest(.get, "/n/1"), BatchedRequest(.post, "/n/", data: json("2")),
        ])
        #expect(answers.map(\.code) == [201, 200, 201])
        #expect(String(buffer: answers[1].data) == "1")
        let refused = await #expect(throws: DocketClientError.self) {
          try await client.batch([
            BatchedRequest(.put, "/n/1", data: json("9")), BatchedRequest(.delete, "/n/none"),
          ])
        }
        #expect(refused.map { "\($0)" }?.contains("There is no document at this path.") == true)

        let second = try await client.put("/n/1", data: json("[1]"), options: WriteOptions(condition: .exists))
        #expect(String(buffer: try await client.get("/n/1", asOf: .revision(1))) == "1")
        let history = try await client.history(of: "/n/1", limit: 1)
        #expect(history.versions.map(\.revision) == [second.revision] && history.versions[0].size == 3)
        let older = try await client.history(of: "/n/1", after: history.next)
        #expect(older.versions.map(\.kind) == ["created"] && older.next == nil)
        #expect(String(buffer: try await client.get("/n/1", asOf: .time(history.versions[0].time))) == "[1]")
        try await client.restore("/n/1", to: .revision(1), options: WriteOptions(condition: .revision(second.revision)))
        #expect(String(buffer: try await client.get("/n/1")) == "1")
        let past = try await client.list("/n/", limit: 1, asOf: .revision(1))
        #expect(past.items.map(\.id) == ["1"] && past.next == nil)

        try await client.put("/n/short", data: json("1"), options: WriteOptions(lifetime: .seconds(3600)))
        var ends: [String: Bool] = [:]
        for try await item in client.documents(in: "/n/", pageSize: 1) { ends[item.id] = item.expires != nil }
        #expect(ends["short"] == true && ends["1"] == false)

        #expect(try await client.settings(of: "/s/") == nil)
        try await client.set(json(#"{"expire": 60, "unique": ["n"]}"#), for: "/s/")
        let settings = try await client.settings(of: "/s/").map { String(buffer: $0) }
        #expect(settings == #"{"indexes": [], "unique": [["n"]], "expire": 60}"#)
        try await client.put("/s/set", data: json(#"{"n": 1}"#))
        try await client.put("/s/forever", data: json("1"), options: WriteOptions(lifetime: .forever))
        let page = try await client.list("/s/")
        #expect(page.items.map { $0.expires == nil } == [true, false])
        let duplicate = await #expect(throws: DocketClientError.self) {
          try await client.post("/s/", data: json(#"{"n": 1.0}"#))
        }
        #expect(duplicate.map { "\($0)" }?.contains("/s/set") == true)
        try await client.removeSettings(of: "/s/")
        try await client.removeSettings(of: "/s/")
        #expect(try await client.settings(of: "/s/") == nil)
        await client.close()
      }
    }
  }
}
