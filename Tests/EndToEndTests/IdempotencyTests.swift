import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  @Suite("carries out a request once under its key")
  struct IdempotencyTests {
    private func request(_ method: String, _ path: String, _ data: String, key: String, more: String = "") -> String {
      #"{"method":"\#(method)","path":"\#(path)","data":\#(data),"headers":{"Connection":"close","Idempotency-Key":"\#(key)"\#(more)}}"#
    }

    @Test("and tells the same answer again, errors too, over restarts")
    func replays() async throws {
      try await withDatabase { database in
        let requests = [
          request("POST", "/n/", "1", key: "a"), request("PUT", "/n/1", "[1]", key: "b"),
          request("PATCH", "/n/1", #"[{"op":"add","path":"/-","value":2}]"#, key: "c"),
          request("PATCH", "/n/1", #"[{"op":"test","path":"","value":2}]"#, key: "d"),
          request("PUT", "/n/1", "1", key: "e", more: #","If-None-Match":"*""#),
          request("DELETE", "/n/2", "null", key: "f"), request("POST", "/item", "1", key: "g"),
          request("DELETE", "/item", "1", key: "h"), request("PUT", "/n/2", "2", key: "i", more: #","Expires-In":100"#),
          request("POST", "/_batch", #"{"requests":[{"method":"POST","path":"/n/","data":1}]}"#, key: "j"),
          request("POST", "/_batch", #"{"requests":[{"method":"GET","path":"/n/9"}]}"#, key: "k"),
        ]
        var server = try ServerProcess(database: database)
        let first = try requests.map { try server.exchange($0) }
        #expect(
          first.map { $0.dropFirst(9).prefix(3) }
            == ["201", "201", "200", "409", "412", "404", "201", "204", "201", "200", "404"])
        #expect(!first.contains { $0.contains("Replayed") })
        _ = try server.exchange(#"{"method":"PUT","path":"/n/1","data":"another"}"#)
        for restarts in [false, true] {
          if restarts {
            #expect(server.kill() == .signalled(SIGKILL))
            server = try ServerProcess(database: database)
          }
          for (request, answer) in zip(requests, first) {
            let again = try server.exchange(request)
            #expect(again.contains(#""Idempotency-Replayed": "true""#), "\(again)")
            let bare = again.replacingOccurrences(of: #", "Idempotency-Replayed": "true""#, with: "")
              .replacingOccurrences(of: #""Idempotency-Replayed": "true""#, with: "")
            #expect(bare == answer)
          }
        }
        #expect(try server.exchange(#"{"method":"GET","path":"/n/1"}"#).contains("another"))
        #expect(try server.exchange(#"{"method":"GET","path":"/_stats"}"#).contains(#""revision": 8"#))
        #expect(server.stop() == .exited(0))
      }
    }

    @Test("and refuses another request under it, and what is no key")
    func refusals() async throws {
      try await withServer { (server) throws in
        _ = try server.exchange(request("PUT", "/n/1", "1", key: "a"))
        for other in [
          request("PUT", "/n/1", "2", key: "a"), request("PUT", "/n/2", "1", key: "a"),
          request("POST", "/item", "1", key: "a"), request("PUT", "/n/1", "1", key: "a", more: #","If-Match":"*""#),
          request("POST", "/_batch", #"{"requests":[]}"#, key: "a"),
        ] {
          let answer = try server.exchange(other)
          #expect(answer.hasPrefix(#"{"code": 422,"#) && answer.contains("idempotency_key_reused"), "\(answer)")
        }
        for key in ["", String(repeating: "k", count: 256), "a\\u0007"] {
          let answer = try server.exchange(request("PUT", "/n/1", "2", key: key))
          #expect(answer.hasPrefix(#"{"code": 400,"#) && answer.contains("invalid_idempotency_key"), "\(answer)")
        }
        // A dry run does nothing that could be told again, and reads need no key.
        let dry = request("PUT", "/n/3", "1", key: "d", more: #","Prefer":"dry-run""#)
        #expect(try server.exchange(dry).contains(#""revision": null"#))
        #expect(try server.exchange(request("PUT", "/n/3", "1", key: "d")).contains(#""revision": 2"#))
        #expect(!(try server.exchange(request("GET", "/n/3", "null", key: "d"))).contains("Replayed"))
      }
    }

    @Test("and keeps no more of answers than --idempotency-bytes, the newest")
    func bounded() async throws {
      try await withServer(["--idempotency-bytes", "4000"]) { (server) throws in
        for number in 0..<30 { _ = try server.exchange(request("PUT", "/n/1", "\(number)", key: "\(number)")) }
        let kept = try SQLiteCommand.run(
          server.database, "SELECT count(*) BETWEEN 5 AND 20, max(key + 0) FROM kept_answers")
        #expect(kept.output == "1|29\n")
        #expect(try server.exchange(request("PUT", "/n/1", "29", key: "29")).contains("Replayed"))
        #expect(!(try server.exchange(request("PUT", "/n/1", "0", key: "0"))).contains("Replayed"))
      }
    }

    @Test("also where the server dies between the commit and the answer")
    func kill() async throws {
      try await withDatabase { database in
        let rounds = count("DOCKET_TEST_KILL_ROUNDS", default: 20)
        var generator = SeededGenerator.forTest(named: "retries after kill -9")
        _ = try {
          let server = try ServerProcess(database: database)
          _ = try server.exchange(#"{"method":"PUT","path":"/n/sum","data":{"list":[]}}"#)
          #expect(server.stop() == .exited(0))
        }()
        var number = 0
        for _ in 0..<rounds {
          let server = try ServerProcess(database: database)
          let killer = Thread { [delay = Int.random(in: 0...20_000, using: &generator)] in
            usleep(UInt32(delay))
            server.process.signal(SIGKILL)
          }
          killer.start()
          let socket = try server.connect()
          // Each is tried until it is answered, on the next server if this one dies.
          while true {
            let patch = #"[{"op":"add","path":"/list/-","value":\#(number)}]"#
            let text = request("PATCH", "/n/sum", patch, key: "k\(number)").replacingOccurrences(
              of: #""Connection":"close""#, with: #""Connection":"keep-alive""#)
            guard let answer = try? socket.exchange(text) else { break }
            #expect(answer.hasPrefix(#"{"code": 200,"#), "\(answer)")
            number += 1
          }
          _ = server.process.waitForEnd()
        }
        let list = try SQLiteCommand.run(
          database, "SELECT count(*), count(DISTINCT value), max(value) FROM documents, json_each(data, '$.list')")
        let counts = list.output.split(whereSeparator: { "|\n".contains($0) }).compactMap { Int($0) }
        // The last one may or may not have happened.
        #expect(counts.count == 3 && counts[0] == counts[1] && counts[2] == counts[0] - 1, "\(list)")
        #expect(counts.first == number || counts.first == number + 1, "\(list), \(number) acknowledged")
      }
    }
  }
}
