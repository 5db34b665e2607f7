import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  @Suite("shares its file with the sqlite3 command")
  struct SQLiteBesideTests {
    @Test("whose writes are served on the next request, each with a revision and one change")
    func writesAreServed() async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database)
        let client = try server.connect()
        let keepAlive = #""headers":{"Connection":"keep-alive"}"#
        func read(_ path: String) throws -> String {
          let answer = try client.exchange(#"{"method":"GET","path":"\#(path)",\#(keepAlive)}"#) ?? "nothing"
          return String(answer.prefix(upTo: answer.range(of: #", "headers""#)?.lowerBound ?? answer.endIndex))
        }
        func sql(_ statement: String) throws -> String {
          let outcome = try SQLiteCommand.run(database, ".timeout 10000\n" + statement)
          #expect(outcome.status == 0, "\(statement): \(outcome.error)")
          return outcome.output
        }
        _ = try client.exchange(#"{"method":"PUT","path":"/n/1","data":{"v":1},\#(keepAlive)}"#)
        #expect(try sql("SELECT data FROM documents WHERE id = '1';") == "{\"v\":1}\n")

        _ = try sql("INSERT INTO documents(collection, id, data) VALUES ('/n/', '2', '{\"v\": 2}');")
        #expect(try read("/n/2") == #"{"code": 200, "message": "OK", "data": {"v": 2}"#)
        _ = try sql("UPDATE documents SET data = json_set(data, '$.w', 9) WHERE collection = '/n/';")
        #expect(try read("/n/1") == #"{"code": 200, "message": "OK", "data": {"v":1,"w":9}"#)
        #expect(try read("/n/2") == #"{"code": 200, "message": "OK", "data": {"v":2,"w":9}"#)
        _ = try sql("INSERT OR REPLACE INTO documents(collection, id, data) VALUES ('/n/', '1', '3');")
        #expect(try read("/n/1") == #"{"code": 200, "message": "OK", "data": 3"#)
        _ = try sql("DELETE FROM documents WHERE collection = '/n/' AND id = '2';")
        #expect(try read("/n/2").hasPrefix(#"{"code": 404, "#))
        _ = try sql("INSERT INTO documents(collection, id, data) VALUES ('/item/', 'by-hand', '\"x\"');")
        #expect(try server.exchange(#"{"method":"GET","path":"/list"}"#).hasSuffix(#""data": ["x"]}"#))

        _ = try client.exchange(#"{"method":"PUT","path":"/n/1","data":4,\#(keepAlive)}"#)
        #expect(
          try sql("SELECT sequence, collection, id, kind FROM changes ORDER BY sequence;")
            == """
            1|/n/|1|created
            2|/n/|2|created
            3|/n/|1|updated
            4|/n/|2|updated
            5|/n/|1|updated
            6|/n/|2|deleted
            7|/item/|by-hand|created
            8|/n/|1|updated

            """)
        #expect(try sql("SELECT revision FROM documents WHERE collection = '/n/';") == "8\n")
        #expect(server.stop() == .exited(0))
      }
    }

    @Test("and ends with 1, whatever its clients are doing, when that is moved away under load")
    func movedAway() async throws {
      for _ in 1...5 {
        try await withDatabase { database in
          let server = try ServerProcess(database: database)
          let greeting = #"{"method":"GET","path":"/","headers":{"Connection":"keep-alive"}}"# + "\0"
          let frames = (0..<64).map { #"{"method":"PUT","path":"/n/\#($0)","data":1}"# + "\0" }.joined()
          for _ in 1...4 {
            // Each is used by one thread only.
            nonisolated(unsafe) let client = try server.connect()
            Thread {
              guard (try? client.send(greeting)) != nil, (try? client.receiveFrame()) != nil else { return }
              while (try? client.send(frames)) != nil {
                for _ in 1...64 where (try? client.receiveFrame()) == nil { return }
              }
            }.start()
          }
          usleep(150_000)
          try FileManager.default.moveItem(atPath: database, toPath: database + ".away")
          #expect(server.process.waitForEnd() == .exited(1), "\(server.process.errorOutput)")
        }
      }
    }

    @Test("which is told what is wrong with what it wants to write, and changes nothing then")
    func refusals() async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database)
        let wrong = [
          ("'/n/', '1', '{'", "JSON"), ("'/n', '1', '1'", "/notes/"), ("'n/', '1', '1'", "/notes/"),
          ("'/n/', '', '1'", "id"), ("'/n/', 'a/b', '1'", "id"), ("'/_n/', '1', '1'", "/_"),
        ]
        for (values, word) in wrong {
          let outcome = try SQLiteCommand.run(
            database, "INSERT INTO documents(collection, id, data) VALUES (\(values));")
          #expect(outcome.status != 0)
          #expect(outcome.error.contains(word), "\(values): \(outcome.error)")
        }
        #expect(try SQLiteCommand.run(database, "SELECT count(*) FROM changes;").output == "0\n")
        #expect(server.stop() == .exited(0))
      }
    }

    @Test("whose write lock delays writes, which then get 503 and when to retry, while reads go on")
    func foreignWriteLock() async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database, ["--busy-timeout", "0.3"])
        let keepAlive = #""headers":{"Connection":"keep-alive"}"#
        let writer = try server.connect()
        let reader = try server.connect()
        let put = #"{"method":"PUT","path":"/n/1","data":1,\#(keepAlive)}"#
        let get = #"{"method":"GET","path":"/n/1",\#(keepAlive)}"#
        #expect(try writer.exchange(put)?.hasPrefix(#"{"code": 201, "#) == true)

        let holder = try LockHolder(database)
        try writer.send(put + "\0")
        #expect(try reader.exchange(get)?.hasPrefix(#"{"code": 200, "message": "OK", "data": 1, "#) == true)
        let refused = try writer.receiveFrame() ?? "nothing"
        #expect(refused.hasPrefix(#"{"code": 503, "message": "Service Unavailable", "data": {"error": "busy", "#))
        #expect(refused.contains(#""retryAfter": "#))
        #expect(refused.contains(#""Retry-After": "#))
        #expect(try reader.exchange(get)?.hasPrefix(#"{"code": 200, "message": "OK", "data": 1, "#) == true)
        // Nothing else of the original routes changes for their clients.
        #expect(
          try server.exchange(#"{"method":"POST","path":"/item","data":1}"#)
            == #"{"code": 503, "message": "Service Unavailable", "data": null}"#)
        try holder.release()

        #expect(try writer.exchange(put)?.hasPrefix(#"{"code": 200, "#) == true)
        #expect(server.stop() == .exited(0))
      }
    }

    @Test("whose write lock only delays a write when it is given back in time")
    func lockGivenBack() async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database, ["--busy-timeout", "60"])
        let client = try server.connect()
        let holder = try LockHolder(database)
        try client.send(#"{"method":"PUT","path":"/n/1","data":1}"# + "\0")
        // This read is answered by the same process after it has taken the write.
        #expect(try server.exchange(#"{"method":"GET","path":"/n/1"}"#).hasPrefix(#"{"code": 404, "#))
        try holder.release()
        #expect(try client.receiveToEnd().hasPrefix(#"{"code": 201, "#))
        #expect(server.stop() == .exited(0))
      }
    }
  }
}
