import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  @Suite("has a feed that loses nothing")
  struct FeedTests {
    @Test("while server and clients are killed, with batches, sqlite3, expiry and many writers at once")
    func everything() async throws {
      let rounds = count("DOCKET_TEST_FEED_ROUNDS", default: 6)
      var generator = SeededGenerator.forTest(named: "feed")
      let seed = generator.next()
      try await withDatabase { database in
        var generator = SeededGenerator(seed: seed)
        var server = try ServerProcess(database: database)
        let port = server.port
        let all = FeedFollower(port: port)
        let mirror = FeedFollower(port: port, path: "/f/", "&recursive=true", snapshot: true)
        let some = FeedFollower(port: port, path: "/f/", "&where[v][$lt]=500", snapshot: true)
        let followers = [all, mirror, some]
        for round in 0..<rounds {
          let writing = FeedWriters(server, count: round % 2 == 0 ? 8 : 64, seed: generator.next())
          for _ in 0..<3 {
            Thread.sleep(forTimeInterval: 0.15)
            try Self.writeBeside(database, round)
            followers.randomElement(using: &generator)?.breakConnection()
          }
          if round % 3 == 2 {
            writing.stop()
            #expect(server.stop() == .exited(0))
          } else {
            #expect(server.kill() == .signalled(SIGKILL))
            writing.stop()
          }
          // Written while no server is there, which those who watch learn from the next one.
          try Self.writeBeside(database, round)
          server = try ServerProcess(database: database, port: port)
        }
        // What has a lifetime has ended by then.
        Thread.sleep(forTimeInterval: 1.5)
        _ = try server.answers([#"{"method":"PUT","path":"/f/end","data":{"v":1}}"#])
        let newest = try FeedTruth.newest(database)
        for follower in followers { #expect(follower.waitUntil(sequence: newest)) }
        for follower in followers { follower.stop() }
        #expect(server.stop() == .exited(0))

        for follower in followers { #expect(follower.complaints == []) }
        let truth = try FeedTruth.changes(database)
        #expect(truth.count == newest && newest > 100)
        let told = all.log.map(\.account)
        #expect(told.count == truth.count)
        if let (a, b) = zip(told, truth).first(where: { $0 != $1 }) { Issue.record("told \(a), true is \(b)") }
        #expect(mirror.state == (try FeedTruth.documents(database)))
        #expect(some.state == (try FeedTruth.documents(database, where: "collection = '/f/' AND data ->> 'v' < 500")))
      }
    }

    /// A transaction of sqlite3's.
    private static func writeBeside(_ database: String, _ round: Int) throws {
      let outcome = try SQLiteCommand.run(
        database,
        """
        .timeout 20000
        BEGIN IMMEDIATE;
        INSERT OR REPLACE INTO documents(collection, id, data) VALUES ('/f/', 'sql', '{"v": \(round * 100)}');
        UPDATE documents SET data = json_set(data, '$.sql', \(round)) WHERE collection = '/f/' AND id < '3';
        DELETE FROM documents WHERE collection = '/f/' AND id = '7';
        COMMIT;
        """)
      #expect(outcome.status == 0, "\(outcome.error)")
    }

    @Test("also to a client that begins anew where the history has passed it by")
    func retention() async throws {
      try await withServer(["--history-days", "0"]) { server in
        let follower = FeedFollower(port: server.port, path: "/f/", snapshot: true)
        #expect(follower.waitUntil(sequence: 0))
        for round in 0..<4 {
          let writing = FeedWriters(server, count: 8, seed: UInt64(round))
          Thread.sleep(forTimeInterval: 0.1)
          try follower.away {
            // Once more history was written than is removed at a time, there are gaps for those who come later.
            _ = try server.answers((0..<1_500).map { #"{"method":"PUT","path":"/f/g","data":\#($0)}"# })
          }
          Thread.sleep(forTimeInterval: 0.1)
          writing.stop()
        }
        Thread.sleep(forTimeInterval: 1.5)
        _ = try server.answers([#"{"method":"PUT","path":"/f/end","data":1}"#])
        #expect(follower.waitUntil(sequence: try FeedTruth.newest(server.database)))
        follower.stop()
        #expect(follower.complaints == [])
        #expect(follower.state == (try FeedTruth.documents(server.database, where: "collection = '/f/'")))
        #expect(follower.beginnings > 1, "the history has never passed it by")
      }
    }

    @Test("with a batch of 1,000 changes whole and in one piece")
    func largeBatch() async throws {
      try await withServer { server in
        let client = try WatchClient(server)
        try client.watch("/n/")
        #expect(try client.next(1) == ["0 live"])
        let requests = (0..<1_000).map { #"{"method":"PUT","path":"/n/\#($0 % 300)","data":\#($0)}"# }
        let others = FeedWriters(server, count: 4, seed: 1)
        let answer = try server.answers([
          #"{"method":"POST","path":"/_batch","data":{"requests":[\#(requests.joined(separator: ","))]}}"#
        ])
        others.stop()
        #expect(answer[0].hasPrefix(#"{"code": 200"#))
        var first: Int?
        for n in 0..<1_000 {
          let frame = try #require(try client.next())
          let begin = first ?? frame.sequence ?? 0
          first = begin
          #expect(frame.sequence == begin + n && frame.batch == begin && frame.document == "\(n)")
        }
        // A page does not cut it either.
        let page = try #require(
          try client.answer(to: #"{"method":"GET","path":"/_changes?since=\#((first ?? 0) - 1)&limit=10","id":1}"#))
        #expect(page.text.components(separatedBy: "\"batch\": \(first ?? 0)").count == 1_001)
      }
    }

    @Test("with a batch that does not fit behind what is on a page on the next one, whole")
    func batchOnNextPage() async throws {
      try await withServer(["--page-bytes", "10000"]) { server in
        let text = String(repeating: "x", count: 1_000)
        func batch(_ count: Int) -> String {
          let requests = (0..<count).map { #"{"method":"PUT","path":"/b/\#($0)","data":"\#(text)"}"# }
          return #"{"method":"POST","path":"/_batch","data":{"requests":[\#(requests.joined(separator: ","))]}}"#
        }
        _ = try server.answers([#"{"method":"PUT","path":"/n/1","data":"\#(text)"}"#, batch(7), batch(7), batch(15)])
        var since = 0
        var pages: [Int] = []
        repeat {
          let answer = try server.answers([#"{"method":"GET","path":"/_changes?since=\#(since)"}"#])[0]
          let page = try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: Any]
          let data = try #require(page?["data"] as? [String: Any])
          pages.append((data["items"] as? [Any])?.count ?? 0)
          since = data["next"] as? Int ?? -1
        } while since > 0
        // The last batch alone is larger than a page.
        #expect(pages == [8, 7, 9, 6])
      }
    }

    @Test("page by page")
    func pages() async throws {
      try await withServer { server in
        let writing = FeedWriters(server, count: 8, seed: 3)
        Thread.sleep(forTimeInterval: 0.3)
        writing.stop()
        Thread.sleep(forTimeInterval: 1.5)
        let client = try WatchClient(server)
        var since = 0
        var told: [String] = []
        while true {
          try client.send(#"{"method":"GET","path":"/_changes?since=\#(since)&limit=50"}"#)
          let answer = try #require(try client.socket.receiveFrame())
          let page = try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: Any]
          let data = try #require(page?["data"] as? [String: Any])
          for item in try #require(data["items"] as? [Any]) {
            let text = try JSONSerialization.data(withJSONObject: ["code": 200, "data": item] as [String: Any])
            told.append(try WatchedFrame(String(decoding: text, as: UTF8.self)).account)
          }
          since = try #require(data["sequence"] as? Int)
          guard let next = data["next"] as? Int else { break }
          #expect(next == since)
        }
        #expect(told == (try FeedTruth.changes(server.database)))
        #expect(since == told.count)
      }
    }
  }
}

/// Clients that write at once, until they are stopped or their server is gone.
private final class FeedWriters: @unchecked Sendable {
  private let lock = NSLock()
  private var isStopped = false
  private let group = DispatchGroup()

  init(_ server: ServerProcess, count: Int, seed: UInt64) {
    for number in 0..<count {
      group.enter()
      Thread { [self] in
        var generator = SeededGenerator(seed: seed &+ UInt64(number))
        let client = try? server.connect()
        while !lock.withLock({ isStopped }), let client {
          let request = Self.request(using: &generator)
          guard let answer = try? client.exchange(request), answer.hasPrefix("{\"code\": ") else { break }
          Thread.sleep(forTimeInterval: 0.001)
        }
        group.leave()
      }.start()
    }
  }

  func stop() {
    lock.withLock { isStopped = true }
    _ = group.wait(timeout: .now() + 60)
  }

  private static func request(using generator: inout SeededGenerator) -> String {
    let keepAlive = #""Connection":"keep-alive""#
    func path() -> String {
      (Int.random(in: 0..<8, using: &generator) == 0 ? "/f/deep/" : "/f/")
        + "\(Int.random(in: 0..<20, using: &generator))"
    }
    func data() -> String { #"{"v":\#(Int.random(in: 0..<1000, using: &generator))}"# }
    switch Int.random(in: 0..<12, using: &generator) {
    case 0...5: return #"{"method":"PUT","path":"\#(path())","data":\#(data()),"headers":{\#(keepAlive)}}"#
    case 6: return #"{"method":"PATCH","path":"\#(path())","data":\#(data()),"headers":{\#(keepAlive)}}"#
    case 7, 8: return #"{"method":"DELETE","path":"\#(path())","headers":{\#(keepAlive)}}"#
    case 9: return #"{"method":"POST","path":"/f/","data":\#(data()),"headers":{\#(keepAlive)}}"#
    case 10:
      return #"{"method":"PUT","path":"\#(path())","data":\#(data()),"headers":{\#(keepAlive),"Expires-In":"1"}}"#
    default:
      let parts = (0..<5).map { _ in #"{"method":"PUT","path":"\#(path())","data":\#(data())}"# }
      return
        #"{"method":"POST","path":"/_batch","data":{"requests":[\#(parts.joined(separator: ","))]},"headers":{\#(keepAlive)}}"#
    }
  }
}
