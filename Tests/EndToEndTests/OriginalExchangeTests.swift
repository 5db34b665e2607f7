import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  @Suite("speaks the original protocol")
  struct OriginalExchangeTests {
    /// Requests on connections of their own, and the answers byte for byte. They begin with an empty list.
    static let exchange: [(request: String, answer: String)] = [
      (#"{"method": "GET", "path": "/"}"#, #"{"code": 200, "message": "OK", "data": "Hello, World!"}"#),
      (#"{"method": "GET", "path": "/", "data": null}"#, #"{"code": 200, "message": "OK", "data": "Hello, World!"}"#),
      (#"{"method": "GET", "path": "/list"}"#, #"{"code": 200, "message": "OK", "data": []}"#),
      (
        #"{"method": "GET", "path": "/echo", "data": {"k": [1, 2.50, "\u00e9"]}}"#,
        #"{"code": 200, "message": "OK", "data": {"k": [1, 2.50, "\u00e9"]}}"#
      ),
      (#"{"method": "GET", "path": "/echo"}"#, #"{"code": 200, "message": "OK", "data": null}"#),
      (#"{"method": "POST", "path": "/item", "data": "a"}"#, #"{"code": 201, "message": "Created", "data": null}"#),
      (#"{"method": "POST", "path": "/item", "data": "b"}"#, #"{"code": 201, "message": "Created", "data": null}"#),
      (#"{"method": "POST", "path": "/item", "data": "a"}"#, #"{"code": 201, "message": "Created", "data": null}"#),
      (#"{"method": "POST", "path": "/item", "data": 1.0}"#, #"{"code": 201, "message": "Created", "data": null}"#),
      (#"{"method": "GET", "path": "/list"}"#, #"{"code": 200, "message": "OK", "data": ["a", "b", "a", 1.0]}"#),
      (#"{"method": "PUT", "path": "/item", "data": "a,c"}"#, #"{"code": 200, "message": "OK", "data": null}"#),
      (#"{"method": "GET", "path": "/list"}"#, #"{"code": 200, "message": "OK", "data": ["c", "b", "a", 1.0]}"#),
      (#"{"method": "PUT", "path": "/item", "data": "x,y"}"#, #"{"code": 404, "message": "Not Found", "data": null}"#),
      (#"{"method": "PUT", "path": "/item", "data": "a"}"#, #"{"code": 404, "message": "Not Found", "data": null}"#),
      (
        #"{"method": "PUT", "path": "/item", "data": "a,b,c"}"#, #"{"code": 404, "message": "Not Found", "data": null}"#
      ),
      (#"{"method": "PUT", "path": "/item", "data": 7}"#, #"{"code": 400, "message": "Bad Request", "data": null}"#),
      (#"{"method": "PUT", "path": "/item"}"#, #"{"code": 400, "message": "Bad Request", "data": null}"#),
      (#"{"method": "DELETE", "path": "/item", "data": 1}"#, #"{"code": 204, "message": "No Content", "data": null}"#),
      (
        #"{"method": "DELETE", "path": "/item", "data": "b"}"#, #"{"code": 204, "message": "No Content", "data": null}"#
      ),
      (#"{"method": "DELETE", "path": "/item", "data": "b"}"#, #"{"code": 404, "message": "Not Found", "data": null}"#),
      (#"{"method": "GET", "path": "/list"}"#, #"{"code": 200, "message": "OK", "data": ["c", "a"]}"#),
      (#"{"method": "GET", "path": "/nothing"}"#, #"{"code": 400, "message": "Bad Request", "data": null}"#),
      (#"{"method": "PATCH", "path": "/"}"#, #"{"code": 400, "message": "Bad Request", "data": null}"#),
      (#"{"method": "POST", "path": "/list"}"#, #"{"code": 400, "message": "Bad Request", "data": null}"#),
      (#"{"method": "GET", "path": "/item"}"#, #"{"code": 400, "message": "Bad Request", "data": null}"#),
      (#"{"path": "/"}"#, #"{"code": 400, "message": "Bad Request", "data": null}"#),
      (#"{"method": "GET"}"#, #"{"code": 400, "message": "Bad Request", "data": null}"#),
      (#"{"method": 1, "path": "/"}"#, #"{"code": 400, "message": "Bad Request", "data": null}"#),
      ("not json", #"{"code": 422, "message": "Unprocessable Entity", "data": null}"#),
      ("[]", #"{"code": 422, "message": "Unprocessable Entity", "data": null}"#),
      ("", #"{"code": 422, "message": "Unprocessable Entity", "data": null}"#),
    ]

    @Test("answers each request on a connection of its own, byte for byte")
    func exchange() async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database)
        for (request, answer) in Self.exchange {
          #expect(try server.exchange(request) == answer, "\(request)")
        }
        #expect(server.stop() == .exited(0))
      }
    }

    @Test("answers a Python client as json.dumps prints the expected dictionaries")
    func python() async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database)
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
          .appendingPathComponent("original_exchange.py").path
        let client = try ChildProcess("env", ["python3", script, "\(server.port)"])
        #expect(client.waitForEnd() == .exited(0), "\(client.errorOutput)")
        #expect(client.remainingOutput.hasSuffix("requests answered as expected\n"))
        #expect(server.stop() == .exited(0))
      }
    }

    @Test("keeps the list over a restart and over a kill")
    func listSurvives() async throws {
      try await withDatabase { database in
        var server = try ServerProcess(database: database)
        _ = try server.exchange(#"{"method": "POST", "path": "/item", "data": "before"}"#)
        #expect(server.stop() == .exited(0))
        server = try ServerProcess(database: database)
        _ = try server.exchange(#"{"method": "POST", "path": "/item", "data": "after"}"#)
        #expect(server.kill() == .signalled(SIGKILL))
        server = try ServerProcess(database: database)
        #expect(
          try server.exchange(#"{"method": "GET", "path": "/list"}"#)
            == #"{"code": 200, "message": "OK", "data": ["before", "after"]}"#)
        #expect(server.stop() == .exited(0))
      }
    }
  }
}
