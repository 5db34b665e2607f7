import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  @Suite("has commands")
  struct CommandTests {
    @Test("a client command without a server says where it looked, and exits with 1")
    func noServer() throws {
      let result = try Docket.run("get", "/notes/1", "--unix-socket", "/nowhere/docket.sock")
      #expect(result.ending == .exited(1))
      #expect(result.output.isEmpty)
      #expect(result.errorLines.count == 1)
      #expect(result.error.contains("is docket serve running on /nowhere/docket.sock?"))
    }

    @Test(
      "a wrong command line exits with 2 and says what is wrong",
      arguments: [
        ["get"], ["get", "/a/1", "--port", "0"], ["put", "/a/1", "nonsense"], ["put", "/a/1", "@/nowhere/file"],
        ["nonsense"], ["serve", "--port", "70000"],
        ["serve", "--max-connections", "0"],
        ["serve", "--history-share", "101"], ["serve", "--durability", "some"], ["serve", "--threads", "0"],
        ["serve", "--frame-timeout", "0"], ["serve", "--log-level", "loud"], ["list", "/a/", "--limit", "0"],
      ])
    func usage(_ arguments: [String]) throws {
      let process = try ChildProcess(Docket.path, arguments)
      let ending = process.waitForEnd()
      #expect(ending == .exited(arguments.last == "@/nowhere/file" ? 1 : 2), "\(arguments): \(process.errorOutput)")
      #expect(!process.errorOutput.isEmpty)
    }

    @Test("options come from the environment, and the command line wins")
    func environment() async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database, environment: ["DOCKET_MAX_DOCUMENT_BYTES": "10"])
        #expect(
          try server.exchange(#"{"method": "PUT", "path": "/a/1", "data": "0123456789"}"#).contains(
            "document_too_large"))
        #expect(try server.exchange(#"{"method": "PUT", "path": "/a/1", "data": "01234567"}"#).contains("201"))
        let port = "\(server.port)"
        #expect(try Docket.run("get", "/a/1", environment: ["DOCKET_PORT": port]).output == "\"01234567\"\n")
        #expect(
          try Docket.run("get", "/a/1", "--port", port, environment: ["DOCKET_PORT": "1"]).output == "\"01234567\"\n")
        let wrong = try Docket.run("get", "/a/1", environment: ["DOCKET_PORT": "x"])
        #expect(wrong.ending == .exited(2) && wrong.error.contains("DOCKET_PORT"))
        let flag = try Docket.run("serve", environment: ["DOCKET_INSECURE": "perhaps"])
        #expect(flag.ending == .exited(2) && flag.error.contains("DOCKET_INSECURE"))
        #expect(server.stop() == .exited(0))
      }
    }

    @Test("reset is refused while a server has the file, and empties it afterwards")
    func reset() async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database)
        _ = try server.exchange(#"{"method": "PUT", "path": "/a/1", "data": 1}"#)
        let refused = try Docket.run("reset", "--database", database)
        #expect(refused.ending == .exited(1))
        #expect(refused.error.contains("served by process \(server.process.pid)"))
        #expect(server.kill() == .signalled(SIGKILL))
        #expect(try Docket.run("reset", "--database", database).ending == .exited(0))
        #expect(
          try SQLiteCommand.run(database, "SELECT count(*) FROM documents; PRAGMA user_version").output == "0\n6\n")
        #expect(!FileManager.default.fileExists(atPath: database + "-wal"))
      }
    }

    @Test("sql runs a statement on the file, passes its status on, and makes no file")
    func sql() async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database)
        _ = try server.exchange(#"{"method": "PUT", "path": "/a/1", "data": {"n": 5}}"#)
        #expect(try Docket.run("sql", "--database", database, "SELECT data ->> 'n' FROM documents").output == "5\n")
        #expect(try Docket.run("sql", "--database", database, "SELECT nothing").ending != .exited(0))
        let missing = try Docket.run("sql", "--database", database + ".none", "SELECT 1")
        #expect(missing.ending == .exited(1))
        #expect(!FileManager.default.fileExists(atPath: database + ".none"))
        #expect(server.stop() == .exited(0))
      }
    }

    @Test("completions are made for each shell", arguments: ["bash", "zsh", "fish"])
    func completions(_ shell: String) throws {
      let result = try Docket.run("--generate-completion-script", shell)
      #expect(result.ending == .exited(0))
      #expect(result.output.contains("max-connections"))
    }
  }
}
