import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  @Suite("carries out batches as a whole")
  struct BatchTests {
    private func batch(_ requests: [String], _ more: String = "", headers: String = "{}") -> String {
      #"{"method":"POST","path":"/_batch","headers":\#(headers),"data":{"requests":[\#(requests.joined(separator: ","))]\#(more)}}"#
    }

    private func put(_ path: String, _ data: String) -> String {
      #"{"method":"PUT","path":"\#(path)","data":\#(data)}"#
    }

    private func get(_ path: String) -> String { #"{"method":"GET","path":"\#(path)"}"# }

    @Test("with answers one by one, in order, reads and lists among them seeing its writes")
    func answers() async throws {
      try await withServer { (server) throws in
        _ = try server.exchange(put("/n/1", "1"))
        let answer = try server.exchange(
          batch([
            put("/n/2", "[2]"), #"{"method":"DELETE","path":"/n/1","id":7}"#, get("/n/2"), get("/n/?limit=5"),
            #"{"method":"PATCH","path":"/n/2","data":[{"op":"add","path":"/-","value":3}],"headers":{"If-Match":"\"2\""}}"#,
            #"{"method":"POST","path":"/item","data":"x"}"#, get("/list"), get("/echo"), get("/n/2"),
          ]))
        let parts = answer.components(separatedBy: #"{"code": "#).dropFirst(2).map { String($0) }
        #expect(
          parts.map { String($0.prefix(3)) } == ["201", "204", "200", "200", "200", "201", "200", "200", "200"],
          "\(answer)")
        #expect(parts[0] == #"201, "message": "Created", "data": {"path": "/n/2", "id": "2", "revision": 2}}, "#)
        #expect(parts[1] == #"204, "message": "No Content", "data": null, "id": 7}, "#)
        #expect(parts[2] == #"200, "message": "OK", "data": [2]}, "#)
        #expect(parts[3].contains(#""document": [2]}], "next": null}"#) && !parts[3].contains("/n/1"))
        #expect(parts[4].contains(#""revision": 4}, "headers": {"ETag": "\"4\""}}"#))
        #expect(parts[6] == #"200, "message": "OK", "data": ["x"]}, "#)
        #expect(parts[8].hasPrefix(#"200, "message": "OK", "data": [2,3]}]}"#))
        let marks = try SQLiteCommand.run(
          server.database, "SELECT group_concat(sequence || ':' || coalesce(batch, '-')) FROM changes")
        #expect(marks.output == "1:-,2:2,3:2,4:2,5:2\n")
      }
    }

    @Test("or not at all: the first answer of 400 and above is the batch's, and nothing is changed")
    func failure() async throws {
      try await withServer { (server) throws in
        let answers = try [
          batch([put("/n/1", "1"), get("/n/2"), put("/n/3", "3")]),
          batch([put("/n/1", "1"), #"{"method":"PUT","path":"/n/1","data":2,"headers":{"If-Match":"*"}}"#, get("/n/x")]
          ),
          batch([put("/n/1", "{}"), #"{"method":"PATCH","path":"/n/1","data":[{"op":"test","path":"","value":1}]}"#]),
          batch([put("/n/1", "1"), #"{"method":"PUT","path":"/n/..","data":2}"#]),
          batch([put("/n/1", "1"), #"{"path":"/n/1"}"#]), batch([put("/n/1", "1"), "17"]),
          batch([put("/n/1", "1"), batch([])]), batch([put("/n/1", "1"), get("/_stats")]),
          batch([#"{"method":"PUT","path":"/n/1","headers":{"Idempotency-Key":"a"},"data":1}"#]),
        ].map { try server.exchange($0) }
        let expected = [
          (404, 1, "not_found"), (404, 2, "not_found"), (409, 1, "patch_test_failed"), (400, 1, "invalid_path"),
          (400, 1, "invalid_method"), (422, 1, "not_an_object"), (400, 1, "not_in_batch"), (400, 1, "not_in_batch"),
          (400, 0, "invalid_idempotency_key"),
        ]
        for (answer, (code, failed, error)) in zip(answers, expected) {
          #expect(answer.hasPrefix("{\"code\": \(code),"), "\(answer)")
          #expect(answer.contains(#""error": "batch_failed""#), "\(answer)")
          #expect(answer.contains("\"failed\": \(failed), \"response\": {\"code\": \(code),"), "\(answer)")
          #expect(answer.contains("\"error\": \"\(error)\""), "\(answer)")
        }
        #expect(try server.exchange(get("/n/")).contains(#""items": []"#))
      }
    }

    @Test("and refuses what is no batch")
    func refusals() async throws {
      try await withServer(["--max-batch-requests", "2", "--max-batch-answer-bytes", "20"]) { (server) throws in
        func post(_ data: String, headers: String = "{}", path: String = "/_batch") -> String {
          #"{"method":"POST","path":"\#(path)","headers":\#(headers),"data":\#(data)}"#
        }
        let expected: [(String, String)] = [
          (post("1"), "invalid_batch"), (post("{}"), "invalid_batch"), (post(#"{"requests":1}"#), "invalid_batch"),
          (post(#"{"requests":[],"dryRun":1}"#), "invalid_batch"), (post(#"{"requests":[],"x":1}"#), "invalid_batch"),
          (post(#"{"requests":[]}"#, headers: #"{"If-Match":"1"}"#), "invalid_batch"),
          (post(#"{"requests":[]}"#, path: "/_batch?x=1"), "unknown_parameter"),
          (get("/_batch"), "method_not_allowed"),
          (batch([get("/n/1"), get("/n/1"), get("/n/1")]), "batch_too_large"),
          (batch([put("/n/1", #""01234567890123456""#), get("/n/1")]), "batch_answer_too_large"),
        ]
        for (request, error) in expected {
          let answer = try server.exchange(request)
          #expect(answer.contains("\"error\": \"\(error)\""), "\(request) was answered \(answer)")
        }
        #expect(try server.exchange(batch([])).contains(#""data": {"responses": []}"#))
        #expect(try server.exchange(get("/n/1")).contains(#""code": 404"#))
      }
    }

    @Test("and those that take too long are undone: --batch-timeout")
    func timeout() async throws {
      try await withServer(["--batch-timeout", "0.001", "--max-batch-requests", "20000"]) { (server) throws in
        let answer = try server.exchange(batch((0..<10_000).map { put("/n/\($0)", "1") }))
        #expect(answer.hasPrefix(#"{"code": 503,"#) && answer.contains("deadline_exceeded"), "\(answer)")
        #expect(answer.contains("--batch-timeout") && answer.contains(#", "retryAfter": 1}"#), "\(answer)")
        #expect(try server.exchange(get("/n/")).contains(#""items": []"#))
        #expect(try server.exchange(put("/n/1", "1")).contains(#""code": 201"#))
      }
    }

    @Test("and a dry run of one tells what it would do, each request seeing those before it")
    func dryRun() async throws {
      try await withServer { (server) throws in
        let requests = [put("/n/1", "1"), put("/n/1", "2"), get("/n/1"), #"{"method":"DELETE","path":"/n/1"}"#]
        for text in [
          batch(requests, #","dryRun":true"#), batch(requests, headers: #"{"Prefer":"dry-run"}"#),
        ] {
          let answer = try server.exchange(text)
          for part in [
            #"{"code": 201, "message": "Created", "data": {"path": "/n/1", "id": "1", "revision": null}}"#,
            #"{"code": 200, "message": "OK", "data": {"path": "/n/1", "id": "1", "revision": null}}"#,
            #"{"code": 200, "message": "OK", "data": 2}"#, #"{"code": 204, "message": "No Content", "data": null}"#,
          ] { #expect(answer.contains(part), "\(answer)") }
        }
        #expect(try server.exchange(get("/n/1")).contains(#""code": 404"#))
        #expect(try server.exchange(get("/_stats")).contains(#""revision": 0"#))
      }
    }

    @Test("also under kill -9: all of a batch is there, or nothing")
    func kill() async throws {
      try await withDatabase { database in
        let rounds = count("DOCKET_TEST_KILL_ROUNDS", default: 20) / 2
        var generator = SeededGenerator.forTest(named: "batches under kill -9")
        for round in 1...rounds {
          let server = try ServerProcess(database: database)
          let socket = try server.connect()
          let killer = Thread { [delay = Int.random(in: 0...30_000, using: &generator)] in
            usleep(UInt32(delay))
            server.process.signal(SIGKILL)
          }
          killer.start()
          var acknowledged = 0
          for number in 1... {
            // The second half of a batch takes back part of the first, so that half of it would show.
            let requests =
              (0..<20).map { put("/r\(round)/\(number)-\($0)", #"{"n":\#(number)}"#) }
              + (0..<10).map { #"{"method":"DELETE","path":"/r\#(round)/\#(number)-\#($0)"}"# }
            let answer = try? socket.exchange(batch(requests, headers: #"{"Connection":"keep-alive"}"#))
            guard let answer else { break }
            #expect(answer.hasPrefix(#"{"code": 200,"#), "\(answer)")
            acknowledged = number
          }
          _ = server.process.waitForEnd()
          let found = try SQLiteCommand.run(
            database,
            """
            SELECT count(*) / 10 FROM documents WHERE collection = '/r\(round)/';
            SELECT 'half', batch FROM changes WHERE batch IS NOT NULL GROUP BY batch
              HAVING count(*) <> 30 OR max(sequence) - min(sequence) <> 29 OR min(sequence) <> batch;
            """)
          let batches = Int(found.output.split(separator: "\n").first ?? "") ?? -1
          #expect(batches == acknowledged || batches == acknowledged + 1, "\(found)")
          #expect(!found.output.contains("half") && found.error == "", "\(found)")
        }
      }
    }
  }
}
