import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  @Suite("has doors of several kinds")
  struct DoorTests {
    /// The path of a socket that others than the owner of the database's folder reach.
    private static func socketPath() -> String {
      FileManager.default.temporaryDirectory.appendingPathComponent("docket-\(UUID().uuidString.prefix(8)).sock").path
    }

    @Test("its unix socket, where its own user needs no token, and one that he shows counts")
    func ownUser() async throws {
      let path = Self.socketPath()
      try await withServer(["--unix-socket", path]) { (server) throws in
        let (admin, _) = try server.shut()
        let client = try AccessClient(unixSocket: path)
        #expect(try client.code("PUT", "/notes/1", data: "1") == 201)
        #expect(try client.code("GET", "/_tokens/") == 200)
        // No stranger: a large request may be the first.
        let first = try AccessClient(unixSocket: path)
        #expect(try first.code("PUT", "/notes/2", data: "\"\(String(repeating: "x", count: 100_000))\"") == 201)
        #expect(try AccessClient(server).code("GET", "/notes/1") == 401)
        let reader = try admin.makeToken("reader", ["read:/notes/"])
        #expect(try client.code("GET", "/_tokens/", token: reader) == 403)
        #expect(try client.code("GET", "/notes/1") == 200)
        // A wrong one leaves him as he came.
        #expect(try client.code("GET", "/_tokens/", token: "no") == 401)
        #expect(try client.code("GET", "/_tokens/") == 200)
        // A watch that needs no token ends with none.
        #expect(try client.answer(#"{"method":"GET","path":"/notes/?watch=true","id":"w"}"#)?.change == "live")
        #expect(try admin.code("DELETE", "/_tokens/reader") == 204)
        #expect(try admin.code("PUT", "/notes/3", data: "3") == 201)
        #expect(try client.next()?.path == "/notes/3")
      }
    }

    @Test(
      "where other users may what is allowed to them, and no more",
      .enabled(if: geteuid() == 0, "needs root to be another user"))
    func otherUsers() async throws {
      let path = Self.socketPath()
      try await withServer([
        "--unix-socket", path, "--unix-socket-mode", "666", "--allow-peer", "4711=read:/notes/", "--allow-peer",
        "4711=write:/inbox/", "--allow-anonymous", "read:/public/",
      ]) { (server) throws in
        let (admin, token) = try server.shut()
        for name in ["/notes/1", "/public/1", "/other/1"] { #expect(try admin.code("PUT", name, data: "1") == 201) }
        func codes(_ user: Int, _ requests: String...) throws -> [Int] {
          let keepAlive = #"{"method":"GET","path":"/_health","headers":{"Connection":"keep-alive"}}"#
          let frames = ([keepAlive] + requests).map { $0 + "\\0" }.joined()
          // perl is part of every Debian, and what it needs of this is.
          let script = """
            use Socket; socket(S, AF_UNIX, SOCK_STREAM, 0) or die; connect(S, sockaddr_un("\(path)")) or die "connect: $!";
            $f = q(\(frames)); $f =~ s/\\\\0/\\0/g; syswrite S, $f; shutdown(S, 1); local $/; print <S>;
            """
          let process = try ChildProcess(
            "/usr/bin/setpriv",
            ["--reuid", "\(user)", "--regid", "\(user)", "--clear-groups", "/usr/bin/perl", "-e", script])
          #expect(process.waitForEnd() == .exited(0))
          return try process.remainingOutput.split(separator: "\0").dropFirst().map {
            try WatchedFrame(String($0)).code
          }
        }
        func get(_ path: String, _ more: String = "") -> String { "{\"method\":\"GET\",\"path\":\"\(path)\"\(more)}" }
        let put = #"{"method":"PUT","path":"/inbox/1","data":1}"#
        let requests = [get("/notes/1"), get("/public/1"), get("/other/1"), put, get("/_tokens/")]
        #expect(
          try codes(4711, requests[0], requests[1], requests[2], requests[3], requests[4]) == [200, 200, 401, 201, 401])
        #expect(
          try codes(4712, requests[0], requests[1], requests[2], requests[3], requests[4]) == [401, 200, 401, 401, 401])
        #expect(try codes(0, requests[2], requests[4]) == [200, 200])
        let headers = #","headers":{"Authorization":"Bearer \#(token)"}"#
        #expect(try codes(4712, get("/other/1", headers), requests[2]) == [200, 200])
      }
    }

    @Test("other addresses than loopback, where it listens once there is a token, or when that is meant")
    func offLoopback() async throws {
      try await withDatabase { database in
        let refused = try Docket.run("serve", "--host", "0.0.0.0", "--port", "0", "--database", database)
        #expect(refused.ending == .exited(1) && refused.errorLines.count == 1, "\(refused)")
        #expect(
          refused.error.contains("docket token create") && refused.error.contains("--insecure"), "\(refused.error)")
        #expect(refused.output == "")

        let insecure = try ServerProcess(database: database, ["--host", "0.0.0.0", "--insecure"])
        #expect(try AccessClient(insecure).code("GET", "/_documents") == 200)
        #expect(insecure.stop() == .exited(0))

        let loopback = try ServerProcess(database: database)
        let (_, token) = try loopback.shut()
        #expect(loopback.stop() == .exited(0))
        let server = try ServerProcess(database: database, ["--host", "0.0.0.0"])
        #expect(try AccessClient(server).code("GET", "/_documents") == 401)
        #expect(try AccessClient(server, token: token).code("GET", "/_documents") == 200)
        #expect(server.stop() == .exited(0))
        // What is said goes over the wire as it is.
        #expect(server.complaints.count == 1 && server.complaints.first?.contains("--allow-cleartext") == true)
        // Those that hold no more keep it shut, so it may listen.
        #expect(try SQLiteCommand.run(database, "UPDATE tokens SET revoked_at = 1").status == 0)
        let shut = try ServerProcess(database: database, ["--host", "0.0.0.0", "--allow-cleartext"])
        #expect(try AccessClient(shut, token: token).code("GET", "/_documents") == 401)
        #expect(shut.stop() == .exited(0))
        #expect(insecure.complaints == [] && loopback.complaints == [] && shut.complaints == [])
      }
    }

    @Test(
      "the wire, where commands say so that a token goes to another machine in the clear, and servers with TLS do not")
    func cleartext() async throws {
      try await withDatabase { database in
        let created = try Docket.run("token", "create", "a", "--allow", "admin", "--database", database)
        let server = try ServerProcess(database: database)
        // The system takes this address, as a client's, for its own machine.
        let get = ["put", "/notes/1", "1", "--port", "\(server.port)"]
        let token = ["DOCKET_TOKEN": String(created.output.dropLast())]
        for (more, environment, isTold) in [
          (["--host", "0.0.0.0"], token, true), (["--host", "0.0.0.0", "--allow-cleartext"], token, false),
          (["--host", "127.0.0.1"], token, false), (["--host", "localhost"], token, false),
          (["--host", "0.0.0.0"], [:], false),
        ] {
          let process = try ChildProcess(Docket.path, get + more, environment: environment)
          #expect(process.waitForEnd() == .exited(environment.isEmpty ? 1 : 0), "\(process.errorOutput)")
          #expect(process.errorOutput.contains("without TLS") == isTold, "\(more): \(process.errorOutput)")
        }
        let bench = ["bench", "--workload", "put", "--requests", "20", "--connections", "2", "--json"]
        let process = try ChildProcess(
          Docket.path, bench + ["--port", "\(server.port)", "--host", "0.0.0.0"], environment: token)
        #expect(process.waitForEnd() == .exited(0))
        #expect(process.errorOutput.split(separator: "\n").filter { $0.contains("without TLS") }.count == 1)
        #expect(server.stop() == .exited(0))
      }
    }
  }
}
