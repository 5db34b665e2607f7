import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  @Suite("says why it does not start, in one line, and exits 1")
  struct StartTests {
    private static func expectRefusal(
      _ result: Docket.Result, naming words: String..., sourceLocation: SourceLocation = #_sourceLocation
    ) {
      #expect(result.ending == .exited(1), sourceLocation: sourceLocation)
      #expect(result.output == "", sourceLocation: sourceLocation)
      #expect(result.errorLines.count == 1, "\(result.error)", sourceLocation: sourceLocation)
      #expect(result.error.hasPrefix("docket: "), "\(result.error)", sourceLocation: sourceLocation)
      for word in words { #expect(result.error.contains(word), "\(result.error)", sourceLocation: sourceLocation) }
    }

    @Test("when the port is taken")
    func portTaken() async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database)
        let other = database + "-other.db"
        let result = try Docket.run("serve", "--port", "\(server.port)", "--database", other)
        Self.expectRefusal(result, naming: "\(server.port)", "taken")
        #expect(server.stop() == .exited(0))
      }
    }

    @Test("when the file cannot be written to")
    func notWritable() async throws {
      try await withDatabase { database in
        let directory = URL(fileURLWithPath: database).deletingLastPathComponent().path
        Self.expectRefusal(try Docket.run("serve", "--port", "0", "--database", directory), naming: directory)
        Self.expectRefusal(
          try Docket.run("serve", "--port", "0", "--database", "\(directory)/none/x.db"), naming: "\(directory)/none")
        // Nobody can make files there, root included.
        Self.expectRefusal(try Docket.run("serve", "--port", "0", "--database", "/proc/x.db"), naming: "/proc/x.db")
      }
    }

    @Test("but tells the log where it listens, when standard output takes nothing")
    func fullOutput() async throws {
      try await withDatabase { database in
        let line = #"exec 3>&1; exec "$0" serve --port 0 --database "$1" 2>&3 >/dev/full"#
        let process = try ChildProcess("sh", ["-c", line, Docket.path, database])
        var told: String?
        while told == nil, let line = process.readLine() {
          if line.contains("listening on 127.0.0.1:") { told = line }
        }
        #expect(told?.contains("Standard output takes nothing") == true)
        process.signal(SIGTERM)
        #expect(process.waitForEnd() == .exited(0))
      }
    }

    @Test("when the file is not Docket's, and leaves it as it is")
    func notOurs() async throws {
      try await withDatabase { database in
        #expect(
          try SQLiteCommand.run(database, "CREATE TABLE recipes(name); INSERT INTO recipes VALUES ('soup');").status
            == 0)
        let before = try Data(contentsOf: URL(fileURLWithPath: database))
        Self.expectRefusal(try Docket.run("serve", "--port", "0", "--database", database), naming: database, "Docket")
        #expect(try Data(contentsOf: URL(fileURLWithPath: database)) == before)

        let text = URL(fileURLWithPath: database).deletingLastPathComponent().appendingPathComponent("letter.txt")
        try Data("Dear reader, this is not a database, however long it may be.\n".utf8).write(to: text)
        Self.expectRefusal(try Docket.run("serve", "--port", "0", "--database", text.path), naming: text.path)
        #expect(try String(contentsOf: text, encoding: .utf8).hasPrefix("Dear reader"))
      }
    }

    @Test("when the file is of a newer version, and leaves it as it is")
    func newer() async throws {
      try await withDatabase { database in
        #expect(try ServerProcess(database: database).stop() == .exited(0))
        #expect(try SQLiteCommand.run(database, "PRAGMA user_version = 1000;").status == 0)
        Self.expectRefusal(try Docket.run("serve", "--port", "0", "--database", database), naming: "1000", "newer")
        #expect(try SQLiteCommand.run(database, "PRAGMA user_version;").output == "1000\n")
      }
    }

    @Test("when another server has the file, however it is named; after a kill the file is free again")
    func secondServer() async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database)
        Self.expectRefusal(
          try Docket.run("serve", "--port", "0", "--database", database), naming: database, "\(server.process.pid)")
        let link = database + "-link.db"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: database)
        Self.expectRefusal(try Docket.run("serve", "--port", "0", "--database", link), naming: "already served")
        #expect(try server.exchange(#"{"method":"GET","path":"/"}"#).hasPrefix(#"{"code": 200, "#))
        #expect(server.kill() == .signalled(SIGKILL))
        let next = try ServerProcess(database: database)
        #expect(next.stop() == .exited(0))
        try FileManager.default.removeItem(atPath: link)
      }
    }

    @Test("when an option is wrong: exit status 2, and which option it is")
    func wrongOption() async throws {
      try await withDatabase { database in
        let result = try Docket.run("serve", "--port", "nonsense", "--database", database)
        #expect(result.ending == .exited(2))
        #expect(result.error.contains("--port"))
        let variable = try Docket.run(
          "serve", "--database", database, environment: ["DOCKET_MAX_CONNECTIONS": "many"])
        #expect(variable.ending == .exited(2))
        #expect(variable.error.contains("DOCKET_MAX_CONNECTIONS"))
        #expect(!FileManager.default.fileExists(atPath: database))
      }
    }
  }

  @Suite("starts")
  struct ReadyTests {
    @Test("with one line on standard output that names the address and the file, and no complaint")
    func readyLine() async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database)
        #expect(server.readyLine == "docket: listening on 127.0.0.1:\(server.port), database \(database)")
        #expect(server.stop() == .exited(0))
        #expect(server.process.remainingOutput == "")
        #expect(server.complaints == [])
      }
    }

    @Test("and tells a service manager that waits for it, with where it listens")
    func readyNotification() async throws {
      try await withDatabase { database in
        let manager = try NotificationSocket(path: database + ".notify")
        let server = try ServerProcess(database: database, environment: ["NOTIFY_SOCKET": manager.path])
        #expect(try manager.receive() == "READY=1\nSTATUS=Listening on 127.0.0.1:\(server.port).")
        #expect(server.stop() == .exited(0))
        #expect(server.complaints == [])
      }
    }

    @Test("also where the service manager is not to be reached, and says so")
    func readyNotificationFails() async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database, environment: ["NOTIFY_SOCKET": database + ".none"])
        #expect(try server.exchange(#"{"method":"GET","path":"/"}"#).hasPrefix(#"{"code": 200, "#))
        #expect(server.stop() == .exited(0))
        #expect(server.complaints.count == 1)
        #expect(server.complaints.first?.contains("NOTIFY_SOCKET \(database).none: No such file") == true)
      }
    }

    @Test("with its database readable by its owner alone")
    func fileMode() async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database)
        for file in [database, database + "-wal"] {
          let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
          #expect(mode == 0o600, "\(file)")
        }
        #expect(server.stop() == .exited(0))
      }
    }

    @Test("with options from the environment, which the command line overrides")
    func environment() async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database, environment: ["DOCKET_MAX_DEPTH": "3", "DOCKET_PORT": "1"])
        #expect(try server.exchange(#"{"method":"GET","path":"/echo","data":[[[[0]]]]}"#).hasPrefix(#"{"code": 422, "#))
        #expect(server.stop() == .exited(0))
      }
    }

    @Test("on a unix socket, in the place of a stale one, but not of a live one or of another file")
    func unixSocket() async throws {
      try await withDatabase { database in
        let path = URL(fileURLWithPath: database).deletingLastPathComponent().appendingPathComponent("s").path
        let first = try ServerProcess(database: database, ["--unix-socket", path])
        let hello = #"{"code": 200, "message": "OK", "data": "Hello, World!"}"#
        func greet() throws -> String {
          let socket = try RawSocket(unixSocket: path)
          try socket.send(#"{"method":"GET","path":"/"}"# + "\0")
          return try socket.receiveToEnd()
        }
        #expect(try greet() == hello)

        let second = try Docket.run(
          "serve", "--port", "0", "--unix-socket", path, "--database", database + "-other.db")
        #expect(second.ending == .exited(1))
        #expect(second.errorLines.count == 1 && second.error.contains(path), "\(second.error)")
        #expect(try greet() == hello)

        #expect(first.kill() == .signalled(SIGKILL))
        #expect(FileManager.default.fileExists(atPath: path))
        let third = try ServerProcess(database: database, ["--unix-socket", path])
        #expect(try greet() == hello)
        #expect(third.stop() == .exited(0))
        #expect(!FileManager.default.fileExists(atPath: path))

        try Data("mine".utf8).write(to: URL(fileURLWithPath: path))
        let fourth = try Docket.run("serve", "--port", "0", "--unix-socket", path, "--database", database)
        #expect(fourth.ending == .exited(1))
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "mine")
      }
    }

    @Test("and names Docket's and SQLite's versions when it is asked to")
    func version() async throws {
      let result = try await blocking { try Docket.run("--version") }
      #expect(result.ending == .exited(0))
      #expect(result.error == "")
      #expect(
        result.output.wholeMatch(of: /docket \d+\.\d+\.\d+[^ ]*, SQLite 3\.\d+\.\d+\n/) != nil, "\(result.output)")
    }
  }
}
