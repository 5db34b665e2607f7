import DocketTestSupport
import Foundation
import Synchronization
import Testing

private func put(_ path: String, _ data: String) -> String {
  #"{"method":"PUT","path":"\#(path)","data":\#(data)}"#
}

private func delete(_ path: String) -> String { #"{"method":"DELETE","path":"\#(path)"}"# }

extension EndToEnd {
  @Suite("lets clients watch")
  struct WatchTests {
    @Test("a collection: each change once, in order, with the document as it was then, beside ordinary requests")
    func collection() async throws {
      try await withServer { server in
        _ = try server.answers([put("/n/0", "0")])
        let client = try WatchClient(server)
        try client.watch("/n/")
        let first = try #require(try client.next())
        #expect(first.change == "live" && first.sequence == 1 && first.history?.count == 32)
        let other = try server.answers([
          put("/n/1", #"{"v":1}"#), put("/other/1", "1"), #"{"method":"PATCH","path":"/n/1","data":{"w":2}}"#,
          delete("/n/1"),
          put("/n/deep/1", "1"),
        ])
        #expect(other.count == 5)
        #expect(try client.next(3) == [#"2 created /n/1 {"v":1}"#, #"4 updated /n/1 {"v":1,"w":2}"#, "5 deleted /n/1"])
        #expect(
          try client.answer(to: #"{"method":"GET","path":"/n/0","id":"q"}"#)?.text
            == #"{"code": 200, "message": "OK", "data": 0, "id": "q"}"#)
        // Its own writes it is told as well, each beside the answer.
        try client.send(put("/n/2", "[ 1 ]"))
        let texts = try [client.next(), client.next()].map { $0?.text ?? "nothing" }.sorted { $0.count < $1.count }
        #expect(texts[0].contains(#""revision": 7"#) && !texts[0].contains("continues"))
        #expect(
          texts[1].hasPrefix(
            #"{"code": 200, "message": "OK", "data": {"sequence": 7, "change": "created", "path": "/n/2", "revision": 7, "document": [ 1 ], "at": "20"#
          ))
        #expect(texts[1].hasSuffix(#"Z"}, "id": "w", "continues": true}"#))
      }
    }

    @Test("a document, the collections below one, and everything, with many watches on a connection")
    func scopes() async throws {
      try await withServer { server in
        let client = try WatchClient(server)
        try client.watch("/n/1", id: "1")
        try client.watch("/n/", id: "2", "&recursive=true")
        try client.watch("/_changes", id: "3")
        try client.watch("/n/a/", id: "4")
        #expect(try Set(client.next(4)) == ["0 live"])
        _ = try server.answers([put("/n/1", "1"), put("/n/a/1", "2"), put("/m/1", "3"), put("/nn/1", "4")])
        var told: [String: [Int]] = [:]
        for _ in 0..<8 {
          let frame = try #require(try client.next())
          told[frame.id ?? "", default: []].append(frame.sequence ?? 0)
        }
        #expect(told == ["1": [1], "2": [1, 2], "3": [1, 2, 3, 4], "4": [2]])
      }
    }

    @Test("behind what was written before the request on its connection, and before what is behind it")
    func place() async throws {
      try await withServer { server in
        let client = try WatchClient(server)
        for round in 0..<100 {
          let id = "\"r\(round)\""
          let frames = [
            put("/n/1", "\(round)"), #"{"method":"GET","path":"/n/?watch=true","id":\#(id)}"#,
            #"{"method":"PUT","path":"/n/2","data":\#(round),"id":"p"}"#,
            #"{"method":"DELETE","path":"/_watches/r\#(round)","id":"d"}"#,
          ]
          try client.send(frames[...2].joined(separator: "\0"))
          var told: [WatchedFrame] = []
          var answers = 0
          while told.count < 2 || answers < 2 {
            let frame = try #require(try client.next())
            if frame.continues { told.append(frame) } else { answers += 1 }
          }
          #expect(told.map(\.change) == ["live", round == 0 ? "created" : "updated"] && told[1].path == "/n/2")
          #expect(told[0].sequence == round * 2 + 1 && told[1].sequence == round * 2 + 2)
          #expect(try client.answer(to: frames[3])?.code == 204)
        }
      }
    }

    @Test("until they end a watch, of which nothing comes behind that answer, and its id is free again")
    func ending() async throws {
      try await withServer { server in
        let client = try WatchClient(server)
        try client.watch("/n/", id: "\"a/b c\"")
        #expect(try client.next(1) == ["0 live"])
        #expect(try client.answer(to: delete("/_watches/other"))?.error == "no_watch")
        #expect(try client.answer(to: delete("/_watches/a/b%20c"))?.code == 204)
        #expect(try client.answer(to: delete("/_watches/a/b%20c"))?.code == 404)
        _ = try server.answers([put("/n/1", "1")])
        #expect(try client.answer(to: #"{"method":"GET","path":"/n/1","id":"q"}"#)?.id == "q")
        try client.watch("/n/", id: "\"a/b c\"", "&since=0")
        #expect(try client.next(2) == ["1 created /n/1 1", "1 live"])
      }
    }

    @Test("but not without an id, with one that is in use, or on a one-shot session")
    func refusals() async throws {
      try await withServer(["--max-connection-watches", "2", "--max-watches", "3"]) { server in
        #expect(
          try WatchedFrame(server.exchange(#"{"method":"GET","path":"/n/?watch=true","id":1}"#)).error
            == "watch_needs_session")
        let client = try WatchClient(server)
        #expect(
          try client.answer(to: #"{"method":"GET","path":"/n/?watch=true"}"#)?.error == "watch_needs_id")
        func refusal(_ path: String, id: String = "1") throws -> String? {
          try client.answer(to: #"{"method":"GET","path":"\#(path)","id":\#(id)}"#)?.error
        }
        try client.watch("/n/", id: "7")
        #expect(try client.next(1) == ["0 live"])
        #expect(try refusal("/n/?watch=true", id: "\"7\"") == "watch_id_in_use")
        #expect(try refusal("/n/?watch=true&since=1") == "ahead")
        #expect(try refusal("/n/?watch=true&since=x") == "invalid_moment")
        #expect(try refusal("/n/?watch=true&heartbeat=0") == "invalid_query")
        #expect(try refusal("/n/?watch=true&heartbeat=1.5") == "invalid_query")
        #expect(try refusal("/n/?watch=true&snapshot=true&since=0") == "invalid_query")
        #expect(try refusal("/n/?watch=true&limit=1") == "unknown_parameter")
        #expect(try refusal("/n/?since=1") == "unknown_parameter")
        #expect(try refusal("/n/?watch=false") == nil && refusal("/_changes?watch=false") == nil)
        #expect(
          try client.answer(
            to: #"{"method":"DELETE","path":"/_watches/7","id":1,"headers":{"Prefer":"dry-run"}}"#)?.error
            == "invalid_condition")
        #expect(try refusal("/n/1?watch=true&recursive=true") == "unknown_parameter")
        #expect(try refusal("/n/?watch=maybe") == "invalid_query")
        #expect(try refusal("/n/?watch=true&where[$text]=a") == "invalid_query")
        #expect(try refusal("/n/?watch=true&history=other&since=0") == "other_history")
        try client.watch("/n/", id: "8")
        #expect(try client.next(1) == ["0 live"])
        #expect(try refusal("/n/?watch=true") == "too_many_watches")
        let second = try WatchClient(server)
        try second.watch("/n/", id: "1")
        #expect(try second.next(1) == ["0 live"])
        try second.watch("/n/", id: "2")
        #expect(try second.next()?.error == "too_many_watches")
        #expect(try second.answer(to: delete("/_watches/1"))?.code == 204)
        try second.watch("/n/", id: "2")
        #expect(try second.next(1) == ["0 live"])
      }
    }

    @Test("from where they were, and are told when that is too old or of another history")
    func resuming() async throws {
      try await withServer(["--history-days", "0"]) { server in
        let client = try WatchClient(server)
        try client.watch("/n/")
        let history = try #require(try client.next()?.history)
        // As long as somebody watches nothing is lost to him, however little is kept.
        _ = try server.answers((1...2_000).map { put("/n/1", "\($0)") })
        for n in 1...2_000 { #expect(try client.next()?.document == "\(n)") }
        #expect(try client.answer(to: delete("/_watches/w"))?.code == 204)
        _ = try server.answers((1...2_000).map { put("/n/1", "\($0)") })
        for path in ["/n/?watch=true&since=2000", "/_changes?since=2000", "/_changes?watch=true&since=2000"] {
          let gone = try client.answer(to: #"{"method":"GET","path":"\#(path)","id":"x"}"#)
          #expect(gone?.code == 410 && gone?.error == "history_gone", "\(path): \(gone?.text ?? "")")
          #expect(gone?.text.contains(#""oldestRevision": "#) == true)
        }
        #expect(
          try client.answer(to: #"{"method":"GET","path":"/_changes?since=4000&history=no"}"#)?.error
            == "other_history")
        // What is of another history is not compared with this one's numbers.
        for path in ["/_changes?", "/_changes?watch=true&", "/n/?watch=true&"] {
          let request = #"{"method":"GET","path":"\#(path)since=99999&history=no","id":"x"}"#
          #expect(try client.answer(to: request)?.error == "other_history")
        }
        #expect(
          try client.answer(to: #"{"method":"GET","path":"/_changes?since=99999&history=\#(history)"}"#)?.error
            == "ahead")
        try client.watch("/n/", "&since=4000&history=\(history)")
        let live = try #require(try client.next())
        #expect(live.description == "4000 live" && live.history == history)
      }
    }

    @Test("with a condition, of which they are told what comes to match, what changes and what leaves")
    func conditions() async throws {
      try await withServer { server in
        let client = try WatchClient(server)
        let condition = "&where[open]=true"
        try client.watch("/n/", condition)
        #expect(try client.next(1) == ["0 live"])
        let requests = [
          put("/n/1", #"{"open":true}"#), put("/n/1", #"{"open":true,"v":1}"#), put("/n/1", #"{"open":false}"#),
          put("/n/1", #"{"open":false,"v":2}"#), put("/n/1", #"{"open":true}"#), delete("/n/1"),
          put("/n/2", #"{"open":false}"#), delete("/n/2"), put("/n/3", #"{"open":true}"#),
        ]
        _ = try server.answers(requests)
        let expected = [
          #"1 created /n/1 {"open":true}"#, #"2 updated /n/1 {"open":true,"v":1}"#, #"3 left /n/1 {"open":false}"#,
          #"5 updated /n/1 {"open":true}"#, "6 deleted /n/1", #"9 created /n/3 {"open":true}"#,
        ]
        #expect(try client.next(6) == expected)
        // The same from the history.
        try client.watch("/n/", id: "2", condition + "&since=0")
        #expect(try client.next(7) == expected + ["9 live"])
        let page = try client.answer(to: #"{"method":"GET","path":"/_changes","data":{"where":{"open":true}}}"#)
        #expect(page?.text.components(separatedBy: "\"sequence\": ").count == 8)
      }
    }

    @Test("what batches, sqlite3 and the end of a lifetime change")
    func sources() async throws {
      try await withServer { server in
        let client = try WatchClient(server)
        try client.watch("/n/")
        #expect(try client.next(1) == ["0 live"])
        let requests = [put("/n/1", "1"), put("/n/2", "2"), put("/n/3", "3")].joined(separator: ",")
        _ = try server.answers([#"{"method":"POST","path":"/_batch","data":{"requests":[\#(requests)]}}"#])
        for n in 1...3 {
          let frame = try #require(try client.next())
          #expect(frame.sequence == n && frame.batch == 1)
        }
        let sql = try SQLiteCommand.run(
          server.database,
          """
          .timeout 10000
          BEGIN;
          INSERT INTO documents(collection, id, data) VALUES ('/n/', '4', '{"v": 4}');
          UPDATE documents SET data = '5' WHERE id = '4';
          DELETE FROM documents WHERE id = '1';
          COMMIT;
          """)
        #expect(sql.status == 0, "\(sql.error)")
        #expect(try client.next(3) == [#"4 created /n/4 {"v":4}"#, "5 updated /n/4 5", "6 deleted /n/1"])
        _ = try server.answers([
          #"{"method":"PUT","path":"/n/5","data":1,"headers":{"Expires-In":"1"}}"#
        ])
        #expect(try client.next(2) == ["7 created /n/5 1", "8 expired /n/5"])
      }
    }

    @Test("after a snapshot of one revision, which together with what follows is the state as it is")
    func snapshot() async throws {
      try await withServer { server in
        _ = try server.answers((0..<2_500).map { put("/n/\(1_000 + $0)", "\($0)") } + [put("/m/1", "1")])
        let written = DispatchSemaphore(value: 0)
        Thread {
          _ = try? server.answers(
            (0..<3_000).map { $0 % 3 == 0 ? delete("/n/\(1_000 + $0)") : put("/n/\(1_000 + $0)", "-1") })
          written.signal()
        }.start()
        let client = try WatchClient(server)
        try client.watch("/n/", "&snapshot=true")
        var state: [String: String] = [:]
        var last = ""
        var position = 0
        while let frame = try client.next() {
          if frame.change == "live" { position = frame.sequence ?? 0; break }
          #expect(frame.change == "snapshot" && frame.sequence == nil && (frame.path ?? "") > last)
          last = frame.path ?? ""
          state[last] = frame.document
        }
        #expect(position >= 2_501 && !state.isEmpty)
        written.wait()
        let newest = try FeedTruth.newest(server.database)
        #expect(newest > 5_000)
        while position < newest, let frame = try client.next() {
          #expect((frame.sequence ?? 0) > position)
          position = frame.sequence ?? 0
          state[frame.path ?? ""] = frame.document
        }
        let rows = try SQLiteCommand.run(
          server.database, "SELECT collection || id || ' ' || data FROM documents WHERE collection = '/n/' ORDER BY id;"
        )
        #expect(
          rows.output.split(separator: "\n").map(String.init)
            == state.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" })
      }
    }

    @Test("with heartbeats that tell how far it is, also where nothing matches")
    func heartbeats() async throws {
      try await withServer { server in
        let client = try WatchClient(server)
        try client.watch("/none/", "&heartbeat=1")
        #expect(try client.next(1) == ["0 live"])
        _ = try server.answers([put("/n/1", "1"), put("/n/2", "2")])
        var beats: [Int] = []
        while beats.last != 2, beats.count < 20, let frame = try client.next() {
          #expect(frame.change == "heartbeat" && frame.path == nil)
          beats.append(frame.sequence ?? -1)
        }
        #expect(beats.last == 2)
      }
    }

    @Test(
      "and stall, which slows nobody, takes little memory, and loses them nothing",
      arguments: [[], ["--watch-backlog-bytes", "1"], ["--watch-total-bytes", "1"]])
    func stalling(_ limits: [String]) async throws {
      try await withServer(["--history-floor-bytes", "\(1 << 30)"] + limits) { server in
        let watches = 40
        let client = try WatchClient(server)
        for id in 0..<watches { try client.watch("/n/", id: "\(id)") }
        for _ in 0..<watches { #expect(try client.next()?.change == "live") }
        let other = try WatchClient(server)
        try other.watch("/n/", "&where[none]=1&heartbeat=1")
        #expect(try other.next()?.change == "live")
        let before = try server.residentBytes()
        let text = String(repeating: "x", count: 10_000)
        let changes = 150
        // 60 MB of frames, of which the client takes none.
        _ = try server.answers((1...changes).map { put("/n/\($0 % 10)", "\"\(text)\($0)\"") })
        // The other one, which keeps up, is told to the end.
        while let frame = try other.next(), frame.sequence != changes {}
        // While the server stands still there comes what the kernel was given, whose buffers would hold megabytes.
        server.process.signal(SIGSTOP)
        let given = Result { try client.socket.takeWhatIsThere() }
        server.process.signal(SIGCONT)
        #expect(try given.get() < 1_000_000)
        let grown = try server.residentBytes() - before
        #expect(EndToEnd.isSanitized || grown < 24 << 20)
        var told = Array(repeating: 0, count: watches)
        for _ in 0..<watches * changes {
          let text = try #require(try client.socket.receiveFrame())
          let end = text.suffix(40).components(separatedBy: "\"id\": ").last ?? ""
          let id = try #require(Int(end.prefix { $0 != "," }))
          told[id] += 1
          #expect(text.hasPrefix("{\"code\": 200, \"message\": \"OK\", \"data\": {\"sequence\": \(told[id]), "))
          #expect(text.contains("xxx\(told[id])\""))
        }
        #expect(told.allSatisfy { $0 == changes })
      }
    }

    @Test("large documents, piece by piece, whole and in order")
    func largeDocuments() async throws {
      try await withServer { server in
        let clients = try (0..<3).map { _ in
          let client = try WatchClient(server)
          try client.watch("/n/")
          #expect(try client.next()?.change == "live")
          return client
        }
        let text = String(repeating: "x", count: 1_000_000)
        _ = try server.answers((1...6).map { put("/n/\($0)", "\"\(text)\($0)\"") })
        for client in clients {
          for n in 1...6 {
            let frame = try client.socket.receiveFrame() ?? "nothing"
            #expect(frame.utf8.count > 1_000_100 && frame.suffix(120).contains("xxx\(n)\", \"at\""))
          }
        }
      }
    }

    @Test("and cost nothing when they are gone, also if they could not take what there was")
    func gone() async throws {
      try await withServer { server in
        let client = try WatchClient(server)
        try client.watch("/n/")
        #expect(try client.next()?.change == "live")
        let outcome = try SQLiteCommand.run(
          server.database,
          """
          .timeout 10000
          INSERT INTO documents(collection, id, data) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
            WHERE i < 30000) SELECT '/n/', i, json_quote(hex(zeroblob(100))) FROM n;
          """)
        #expect(outcome.status == 0)
        Thread.sleep(forTimeInterval: 1)
        client.socket.reset()
        Thread.sleep(forTimeInterval: 0.5)
        #expect(try server.answers([#"{"method":"GET","path":"/_stats"}"#])[0].contains(#""watches": 0"#))
        let before = try server.processorSeconds()
        Thread.sleep(forTimeInterval: 2)
        #expect(try server.processorSeconds() - before < 0.5, "something goes on without end")
      }
    }

    @Test("as long as their conditions are of a bounded size, together")
    func conditionSizes() async throws {
      try await withServer(["--watch-condition-bytes", "1000"]) { server in
        let client = try WatchClient(server)
        let condition = #"{"a": {"$in": ["\#(String(repeating: "x", count: 600))"]}}"#
        func watch(_ id: Int) throws -> WatchedFrame? {
          try client.answer(
            to: #"{"method":"GET","path":"/n/?watch=true","data":{"where":\#(condition)},"id":\#(id)}"#)
        }
        try client.send(#"{"method":"GET","path":"/n/?watch=true","data":{"where":\#(condition)},"id":1}"#)
        #expect(try client.next()?.change == "live")
        #expect(try watch(2)?.error == "too_many_watches")
        #expect(try client.answer(to: delete("/_watches/1"))?.code == 204)
        try client.send(#"{"method":"GET","path":"/n/?watch=true","data":{"where":\#(condition)},"id":2}"#)
        #expect(try client.next()?.change == "live")
      }
    }

    @Test("while others begin watches a little in the past, whose conditions take long to look through")
    func longConditions() async throws {
      try await withServer { server in
        let text = "{\"s\": \"\(String(repeating: "a", count: 100_000))\"}"
        let revisions = try server.answers((0..<40).map { put("/big/\($0)", text) }).count
        let honest = try WatchClient(server)
        try honest.watch("/small/")
        #expect(try honest.next(1) == ["\(revisions) live"])
        let heavy = try WatchClient(server)
        let tests = (0..<64).map { #"{"s":{"$contains":"b\#($0)"}}"# }.joined(separator: ",")
        let begun = (0..<9).map { id in
          #"{"method":"GET","path":"/big/?watch=true&since=0","data":{"where":{"$or":[\#(tests)]}},"id":\#(id)}"#
        }
        try heavy.send(begun.joined(separator: "\0"))
        // The second is told behind all that was begun with before it was written.
        for number in 0..<2 {
          _ = try server.answers([put("/small/\(number)", "1")])
          #expect(try honest.next()?.change == "created")
        }
        try heavy.send(#"{"method":"GET","path":"/_health","id":"end"}"#)
        var live = 0
        while let frame = try heavy.next(), frame.id != "end" { if frame.change == "live" { live += 1 } }
        #expect(live < 9)
      }
    }

    @Test("from now on, of which nothing is lost however little history is kept and however much is written")
    func now() async throws {
      try await withServer(["--history-days", "0"]) { server in
        let isOver = Atomic(false)
        let writing = DispatchGroup()
        for number in 0..<3 {
          writing.enter()
          Thread {
            while !isOver.load(ordering: .relaxed) {
              _ = try? server.answers((0..<400).map { put("/n/\(number)", "\($0)") })
            }
            writing.leave()
          }.start()
        }
        for round in 0..<200 {
          let client = try WatchClient(server)
          try client.watch("/m/", id: "\(round)")
          try client.send(#"{"method":"PUT","path":"/m/1","data":\#(round),"id":"p"}"#)
          var told: [String] = []
          while told.count < 2, let frame = try client.next() {
            if frame.id != "p" { told.append(frame.change ?? frame.text) }
          }
          #expect(told == ["live", round == 0 ? "created" : "updated"])
        }
        isOver.store(true, ordering: .relaxed)
        writing.wait()
      }
    }

    @Test("until the server ends, which they are told")
    func closing() async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database)
        let client = try WatchClient(server)
        try client.watch("/n/", id: "1")
        try client.watch("/m/", id: "2")
        #expect(try client.next(2) == ["0 live", "0 live"])
        #expect(server.stop() == .exited(0))
        for _ in 0..<2 {
          let last = try #require(try client.next())
          #expect(last.code == 503 && last.error == "closing" && !last.continues && ["1", "2"].contains(last.id))
        }
        #expect(try client.next() == nil)
      }
    }

    @Test("and in any case get an answer, also when it ends before their watch has begun")
    func closingBefore() async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database)
        let holder = try LockHolder(database)
        let client = try WatchClient(server)
        try client.send(put("/n/1", "1"))
        try client.watch("/n/")
        #expect(try server.exchange(#"{"method":"GET","path":"/n/1"}"#).hasPrefix(#"{"code": 404, "#))
        server.process.signal(SIGTERM)
        Thread.sleep(forTimeInterval: 0.2)
        try holder.release()
        #expect(try client.next()?.code == 201)
        let last = try #require(try client.next())
        #expect(last.code == 503 && last.error == "closing" && last.id == "w")
        #expect(server.process.waitForEnd() == .exited(0))
      }
    }

    @Test("on a connection that they do not send on any more")
    func halfClosed() async throws {
      try await withServer(["--idle-timeout", "0.5"]) { server in
        let client = try WatchClient(server)
        try client.watch("/n/")
        client.socket.finishSending()
        #expect(try client.next(1) == ["0 live"])
        // Longer than a connection without a watch may be silent.
        Thread.sleep(forTimeInterval: 1.5)
        _ = try server.answers([put("/n/1", "1")])
        #expect(try client.next(1) == ["1 created /n/1 1"])
      }
    }

    @Test("by the thousand, of which nothing stays behind")
    func manyEnd() async throws {
      try await withServer { server in
        func round(_ clients: Int) throws {
          for _ in 0..<clients {
            let client = try WatchClient(server)
            for id in 0..<20 {
              try client.watch(
                id % 2 == 0 ? "/n/" : "/n/\(id)", id: "\(id)", "&heartbeat=3600\(id % 3 == 0 ? "&where[a]=1" : "")")
            }
            for _ in 0..<20 { #expect(try client.next()?.change == "live") }
            for id in 0..<10 { try client.send(delete("/_watches/\(id)")) }
            for _ in 0..<10 { #expect(try client.next()?.code == 204) }
          }
        }
        try round(100)
        let before = try server.residentBytes()
        try round(400)
        let grown = try server.residentBytes() - before
        #expect(EndToEnd.isSanitized || grown < 2 << 20)
        #expect(try server.answers([#"{"method":"GET","path":"/_stats"}"#])[0].contains(#""watches": 0"#))
      }
    }
  }
}
