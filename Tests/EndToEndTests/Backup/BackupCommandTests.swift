import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  @Suite("has a command for backups")
  struct BackupCommandTests {
    private static func contents(_ folder: CommandFolder) throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { !$0.hasPrefix("docket.db") }.sorted()
    }

    private static func put(_ server: ServerProcess, _ id: String, _ data: String) throws {
      _ = try server.exchange(#"{"method": "PUT", "path": "/a/\#(id)", "data": \#(data)}"#)
    }

    private static func documents(_ path: String) throws -> String {
      try SQLiteCommand.run(path, "SELECT group_concat(id || '=' || data, ' ') FROM documents").output
    }

    @Test("it copies from the server, from the file, into a folder, and into the server's own")
    func forms() async throws {
      try await withFolder(["--backup-folder", "/tmp/docket-backups-\(getpid())"]) { folder, server in
        defer { try? FileManager.default.removeItem(atPath: "/tmp/docket-backups-\(getpid())") }
        // More than a piece.
        let long = String(repeating: "x", count: 900_000)
        try Self.put(server, "1", "\"\(long)\"")
        let expected = try Self.documents(server.database)
        try FileManager.default.createDirectory(atPath: folder.path + "/many", withIntermediateDirectories: true)

        let fetched = try folder.run(["backup", "monday.bak"])
        let bytes = try #require(
          try FileManager.default.attributesOfItem(atPath: folder.path + "/monday.bak")[.size] as? Int)
        #expect(fetched.ending == .exited(0) && fetched.error.isEmpty)
        #expect(fetched.output == "monday.bak: \(bytes) bytes, revision 1, checked\n")
        #expect(try Self.documents(folder.path + "/monday.bak") == expected)
        #expect(BackupServer.besides(server.database) == [])

        let copied = try folder.run(["backup", "--database", "docket.db", "tuesday.bak"])
        #expect(copied.ending == .exited(0) && copied.output.hasSuffix(" bytes, revision 1, checked\n"), "\(copied)")
        #expect(try Self.documents(folder.path + "/tuesday.bak") == expected)

        for arguments in [["backup", "many/"], ["backup", "--database", "docket.db", "many"]] {
          let timed = try folder.run(arguments)
          #expect(timed.ending == .exited(0), "\(timed)")
          #expect(timed.output.hasPrefix("many/docket-2") && timed.output.contains("Z.db: "), "\(timed)")
          // Names are made of seconds.
          Thread.sleep(forTimeInterval: 1.1)
        }
        let kept = try folder.run(["backup", "--database", "docket.db", "many", "--keep", "1"])
        #expect(kept.ending == .exited(0), "\(kept)")
        let last = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/many")
        #expect(last.count == 1 && kept.output.contains(last.first ?? "none"))

        let onServer = try folder.run(["backup", "--on-server", "wednesday.db"])
        #expect(onServer.ending == .exited(0) && onServer.output.hasPrefix("wednesday.db: "), "\(onServer)")
        #expect(try Self.documents("/tmp/docket-backups-\(getpid())/wednesday.db") == expected)
        let again = try folder.run(["backup", "--on-server", "wednesday.db"])
        #expect(again.ending == .exited(1) && again.error.contains("409"), "\(again)")
        #expect(try Self.contents(folder) == ["many", "monday.bak", "tuesday.bak"])

        // And one is put back.
        let restored = try folder.run(["restore", "monday.bak", "--database", "new.db"])
        #expect(restored.ending == .exited(0), "\(restored)")
        #expect(try Self.documents(folder.path + "/new.db") == expected)
      }
    }

    @Test("what is there stays, unless it is to be replaced, and then it is there or the other, whole")
    func replace() async throws {
      try await withFolder { folder, server in
        try Self.put(server, "1", "1")
        try folder.write("x.bak", "mine")
        for more in [[], ["--database", "docket.db"]] {
          let refused = try folder.run(["backup", "x.bak"] + more)
          #expect(refused.ending == .exited(1) && refused.error.contains("add --replace"), "\(refused)")
          #expect(try folder.read("x.bak") == "mine")
        }
        #expect(try folder.run(["backup", "x.bak", "--replace"]).ending == .exited(0))
        #expect(try Self.documents(folder.path + "/x.bak") == "1=1\n")
        try Self.put(server, "2", "2")
        #expect(try folder.run(["backup", "x.bak", "--replace", "--database", "docket.db"]).ending == .exited(0))
        #expect(try Self.documents(folder.path + "/x.bak") == "1=1 2=2\n")

        // The database itself is never the place.
        for more in [[], ["--database", "docket.db"]] {
          let itself = try folder.run(["backup", "docket.db", "--replace"] + more)
          #expect(itself.ending == .exited(1) && itself.errorLines.count == 1, "\(itself)")
        }
        // Nor the lock of its server, nor what is no file.
        #expect(mkfifo(folder.path + "/fifo", 0o600) == 0)
        for (name, reason) in [("docket.db.lock", "docket.db"), ("fifo", "no file that could be replaced")] {
          for more in [[], ["--database", "docket.db"]] {
            let refused = try folder.run(["backup", name, "--replace"] + more)
            #expect(refused.ending == .exited(1) && refused.error.contains(reason), "\(refused)")
          }
        }
        #expect(unlink(folder.path + "/fifo") == 0)
        try folder.write("y.bak-wal", "log")
        let companion = try folder.run(["backup", "y.bak"])
        #expect(companion.ending == .exited(1) && companion.error.contains("y.bak-wal"), "\(companion)")
        #expect(try Self.contents(folder) == ["x.bak", "y.bak-wal"])
      }
    }

    @Test("a database with faults is copied if that is wanted, from the file as through the server")
    func faults() async throws {
      try await withFolder { folder, server in
        for id in ["1", "2"] { try Self.put(server, id, "1") }
        _ = try SQLiteCommand.run(server.database, "UPDATE document_rows SET data = '{' WHERE id = '2'")
        for (more, name) in [([], "a.bak"), (["--database", "docket.db"], "b.bak")] {
          let refused = try folder.run(["backup", name] + more)
          #expect(refused.ending == .exited(1) && refused.error.contains("1 fault"), "\(refused)")
          #expect(refused.error.contains("docket check") && refused.error.contains("--accept-faults"), "\(refused)")
          #expect(try Self.contents(folder).filter { $0.hasPrefix(name) || $0.hasPrefix(".") } == [])
          let accepted = try folder.run(["backup", name, "--accept-faults"] + more)
          #expect(
            accepted.ending == .exited(0) && accepted.output.contains("1 fault, which docket check names"),
            "\(accepted)")
          #expect(try folder.run(["check", "--database", name]).ending == .exited(1))
        }
      }
    }

    @Test("with no server it takes docket.db here; where another address was given, or there is none, it says so")
    func withoutServer() async throws {
      try await withDatabase { database in
        let folder = CommandFolder(path: (database as NSString).deletingLastPathComponent, port: 12000)
        guard (try? RawSocket(port: 12000)) == nil else { return print("a server listens on port 12000 here") }
        let none = try folder.run(["backup", "x.bak"])
        #expect(none.ending == .exited(1) && none.error.contains("docket serve"), "\(none)")
        #expect(try Docket.run("reset", "--database", database).ending == .exited(0))
        let copied = try folder.run(["backup", "x.bak"])
        #expect(copied.ending == .exited(0) && copied.error.contains("copying docket.db itself"), "\(copied)")
        #expect(copied.output.hasPrefix("x.bak: "))
        let elsewhere = try folder.run(["backup", "y.bak", "--port", "1"])
        #expect(elsewhere.ending == .exited(1) && elsewhere.output.isEmpty, "\(elsewhere)")
        let onServer = try folder.run(["backup", "--on-server", "y.db"])
        #expect(onServer.ending == .exited(1) && onServer.error.contains("docket serve"), "\(onServer)")
        #expect(try Self.contents(folder) == ["x.bak"])
      }
    }

    @Test(
      "wrong usage is told with status 2",
      arguments: [
        (["backup"], "name the file or folder"), (["backup", "x", "--on-server", "y"], "name the file or folder"),
        (["backup", "--on-server", "y", "--replace"], "--on-server goes with none of"),
        (["backup", "--on-server", "y", "--database", "z"], "--on-server goes with none of"),
        (["backup", "x.db", "--keep", "3"], "take a folder"), (["backup", "x.db", "--every", "1h"], "take a folder"),
        (["backup", "/tmp", "--keep", "0"], "--keep"), (["backup", "/tmp", "--every", "0s"], "--every"),
        (["backup", "/tmp", "--every", "often"], "--every"),
      ])
    func usage(_ arguments: [String], _ words: String) throws {
      let process = try ChildProcess("env", ["-C", "/", Docket.path] + arguments)
      #expect(process.waitForEnd() == .exited(2))
      #expect(process.errorOutput.contains(words), "\(process.errorOutput)")
    }

    @Test("again and again it makes one at each time, keeps as many as it is told, and ends at a signal")
    func every() async throws {
      try await withFolder { folder, server in
        let many = folder.path + "/many"
        try FileManager.default.createDirectory(atPath: many, withIntermediateDirectories: true)
        let process = try folder.start(["backup", "many", "--every", "1s", "--keep", "2"])
        for _ in 0..<4 { #expect(process.readLine()?.hasSuffix(", revision 0, checked") == true) }
        process.signal(SIGTERM)
        #expect(process.waitForEnd() == .exited(0))
        let names = try FileManager.default.contentsOfDirectory(atPath: many)
        #expect((2...3).contains(names.count) && names.allSatisfy { $0.hasPrefix("docket-2") }, "\(names)")
      }
    }

    @Test("where nobody can be told of a backup it is made all the same, and surplus ones go")
    func nobodyListens() async throws {
      try await withFolder { folder, server in
        try Self.put(server, "1", "1")
        try FileManager.default.createDirectory(atPath: folder.path + "/many", withIntermediateDirectories: false)
        for _ in 0..<2 {
          let made = try folder.shell("docket backup many --keep 1 > /dev/full")
          #expect(made.ending == .exited(0) && made.error.isEmpty, "\(made)")
          // Names are made of seconds.
          usleep(1_100_000)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/many").count == 1)
      }
    }

    @Test("backups of another database in the folder do not count as its own")
    func others() async throws {
      try await withFolder { folder, server in
        try Self.put(server, "1", "1")
        try FileManager.default.createDirectory(atPath: folder.path + "/many", withIntermediateDirectories: false)
        #expect(try folder.run(["backup", "many"]).ending == .exited(0))
        #expect(try folder.run(["reset", "--database", "other.db"]).ending == .exited(0))
        usleep(1_100_000)
        let process = try folder.start(["backup", "many", "--database", "other.db", "--every", "1h"])
        let deadline = Date(timeIntervalSinceNow: 60)
        func made() throws -> Int {
          try FileManager.default.contentsOfDirectory(atPath: folder.path + "/many").count { $0.hasSuffix(".db") }
        }
        while try made() < 2, Date() < deadline { usleep(20_000) }
        #expect(try made() == 2)
        process.signal(SIGTERM)
        #expect(process.waitForEnd() != nil)
      }
    }

    @Test("with tokens it takes one that is admin, and any other is told so")
    func tokens() async throws {
      try await withFolder(["--backup-folder", "/tmp/docket-backups-t-\(getpid())"]) { folder, server in
        defer { try? FileManager.default.removeItem(atPath: "/tmp/docket-backups-t-\(getpid())") }
        let (admin, token) = try server.shut()
        let reader = try admin.makeToken("reader", ["read:/", "write:/"])
        for arguments in [["backup", "x.bak"], ["backup", "--on-server", "x.db"]] {
          for (shown, code) in [("", "401"), (reader, "403")] {
            let refused = try folder.shell("DOCKET_TOKEN='\(shown)' docket \(arguments.joined(separator: " "))")
            #expect(refused.ending == .exited(1) && refused.error.contains(code), "\(refused)")
          }
          #expect(
            try folder.shell("DOCKET_TOKEN='\(token)' docket \(arguments.joined(separator: " "))").ending == .exited(0))
        }
        #expect(try Self.contents(folder) == ["x.bak"])
        #expect(BackupServer.besides(server.database) == [])
      }
    }

    @Test("where requests are bounded it takes its time for the pieces")
    func rates() async throws {
      try await withFolder(["--address-rate", "2"]) { folder, server in
        try Self.put(server, "1", "\"\(String(repeating: "x", count: 900_000))\"")
        let fetched = try folder.run(["backup", "x.bak"])
        #expect(fetched.ending == .exited(0) && fetched.output.hasSuffix(", revision 1, checked\n"), "\(fetched)")
        #expect(BackupServer.besides(server.database) == [])
      }
    }

    @Test(
      "where a file may not grow so large it says how much is needed, and leaves nothing",
      .disabled(if: EndToEnd.isSanitized))
    func sizeLimit() async throws {
      try await withFolder { folder, server in
        try Self.put(server, "1", "\"\(String(repeating: "x", count: 900_000))\"")
        for more in ["", " --database docket.db"] {
          let refused = try folder.shell("ulimit -f 512; docket backup x.bak\(more)")
          #expect(refused.ending == .exited(1) && refused.error.contains("bytes are needed"), "\(refused)")
        }
        #expect(try Self.contents(folder) == [])
        #expect(BackupServer.besides(server.database) == [])
        #expect(try folder.run(["backup", "x.bak"]).ending == .exited(0))
      }
    }
  }
}
