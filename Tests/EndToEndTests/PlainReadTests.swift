import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  /// A GET of a path and no more is answered in a way of its own; with `data` beside the path it goes the ordinary way.
  @Suite("reads in two ways")
  struct PlainReadTests {
    private func plain(_ path: String) -> String { #"{"method":"GET","path":"\#(path)"}"# }
    private func ordinary(_ path: String) -> String { #"{"method":"GET","path":"\#(path)","data":null}"# }

    @Test(
      "that give the same answers, whatever the path, whether or not the document is at hand", arguments: [0, 16 << 20])
    func agree(cacheBytes: Int) async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database, ["--document-cache-bytes", "\(cacheBytes)"])
        let client = try server.connect()
        _ = try client.exchange(#"{"method":"GET","path":"/","headers":{"Connection":"keep-alive"}}"#)
        // As a path names them, which is not always as they are called.
        let written = [
          "/c/1", "/c/a%2520b", "/c/a%20b", "/c/q%3Fx", "/c/h%23x", "/c/%C3%A9", "/c/é", "/c/e\u{301}", "/c/d/e",
          "/c/100%25",
          "/c/+", "/c/..%61", "/c/" + String(repeating: "x", count: 1_000),
        ]
        for (n, path) in written.enumerated() {
          let put = try client.exchange(#"{"method":"PUT","path":"\#(path)","data":{"n":\#(n)}}"#)
          #expect(put?.hasPrefix(#"{"code": 20"#) == true, "\(put ?? "nothing")")
        }
        let others = [
          "", "/", "c", "/c", "/c/", "/c/2", "//", "/c//1", "/c/./1", "/c/../1", "/c/%2e%2e", "/c/1%2F2", "/c/%",
          "/c/%zz",
          "/c/a b", "/c/q?x", "/c/1?asOf=1", "/c/1?", "/c/h#x", "/c/1/", "/_health", "/_c/1", "/%5Fc/1", "/echo",
          "/list",
          "/c/" + String(repeating: "x", count: 1_100), "/c/\\u0031", "\\/c\\/1", "/c/\\u0000", "/c/\\ud800",
        ]
        for round in 1...3 {
          for path in written + others {
            let first = try client.exchange(plain(path))
            #expect(first == (try client.exchange(ordinary(path))), "round \(round), \(path)")
            #expect(first == (try client.exchange(plain(path))), "round \(round), \(path)")
          }
          // What sqlite3 writes is seen by both at the next request.
          let change = try SQLiteCommand.run(
            database, "UPDATE documents SET data = json_set(data, '$.round', \(round)) WHERE collection = '/c/'")
          #expect(change.output == "")
          #expect(
            try client.exchange(plain("/c/1")) == #"{"code": 200, "message": "OK", "data": {"n":0,"round":\#(round)}}"#)
        }
        #expect(server.stop() == .exited(0))
      }
    }

    @Test("and of a field that is given twice take the last one")
    func fieldsTwice() async throws {
      try await withServer { (server) throws in
        let client = try server.connect()
        _ = try client.exchange(#"{"method":"GET","path":"/","headers":{"Connection":"keep-alive"}}"#)
        _ = try client.exchange(#"{"method":"PUT","path":"/c/1","data":1}"#)
        _ = try client.exchange(#"{"method":"PUT","path":"/c/2","data":2}"#)
        let two = #"{"code": 200, "message": "OK", "data": 2}"#
        for _ in 1...2 {
          #expect(try client.exchange(#"{"path":"/c/1","method":"GET","path":"/c/2"}"#) == two)
          #expect(try client.exchange(#"{"method":"DELETE","path":"/c/2","method":"GET"}"#) == two)
          #expect(try client.exchange(#"{"meth\u006fd":"GET","p\u0061th":"/c/2","more":[1]}"#) == two)
          #expect(
            try client.exchange(#"{"method":"GET","path":"/c/2","id":7}"#)
              == #"{"code": 200, "message": "OK", "data": 2, "id": 7}"#)
        }
      }
    }

    @Test(
      "beside a client that asks without end and reads nothing, while others write: it does not fill the memory",
      .disabled(if: EndToEnd.isSanitized))
    func neverReading() async throws {
      try await withServer { (server) throws in
        let writer = try server.connect()
        _ = try writer.exchange(#"{"method":"GET","path":"/","headers":{"Connection":"keep-alive"}}"#)
        let text = String(repeating: "x", count: 50_000)
        _ = try writer.exchange(#"{"method":"PUT","path":"/c/1","data":"\#(text)"}"#)
        // One thread sends with it, once this one has stopped using it.
        nonisolated(unsafe) let greedy = try server.connect()
        _ = try greedy.exchange(#"{"method":"GET","path":"/","headers":{"Connection":"keep-alive"}}"#)
        let before = try server.residentBytes()
        // It ends with the server, at the latest.
        let asking = Thread {
          let frames = String(repeating: #"{"method":"GET","path":"/c/1"}"# + "\0", count: 1_000)
          for _ in 1...200 { if (try? greedy.send(frames)) == nil { return } }
        }
        asking.start()
        for n in 0..<2_000 {
          let answer = try writer.exchange(#"{"method":"PUT","path":"/c/\#(n % 10 + 2)","data":\#(n)}"#)
          #expect(answer?.hasPrefix(#"{"code": 20"#) == true)
        }
        #expect(try server.residentBytes() - before < 64 << 20)
      }
    }
  }
}
