import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  @Suite("makes backups while it serves")
  struct BackupServerTests {
    @Test("kept ones are made, listed, read in pieces and removed over the wire")
    func wire() async throws {
      try await withDatabase { database in
        let backups = try BackupServer(database, fill: 2)
        let made = try #require(try backups.make("monday.db"))
        #expect(made.code == 201 && made.revision == 2 && made.text.contains(#""faults": 0}"#), "\(made.text)")
        let file = try Data(contentsOf: URL(fileURLWithPath: "\(backups.folder)/monday.db"))
        #expect(made.text.contains(#""name": "monday.db", "bytes": \#(file.count), "createdAt": ""#))
        let list = try backups.list()
        #expect(list.contains(#"{"items": [{"name": "monday.db", "bytes": \#(file.count), "createdAt": ""#), "\(list)")
        #expect(list.contains(#""}], "running": null, "fetching": null}"#))
        #expect(try backups.make("monday.db")?.error == "backup_exists")

        var whole = Data()
        var offset: Int? = 0
        while let start = offset {
          let answer = try #require(
            try backups.client.answer(#"{"method":"GET","path":"/_backups/monday.db?offset=\#(start)"}"#))
          let data = try #require(
            (try JSONSerialization.jsonObject(with: Data(answer.text.utf8)) as? [String: Any])?["data"]
              as? [String: Any])
          #expect(data["offset"] as? Int == start && data["bytes"] as? Int == file.count)
          whole += try #require((data["data"] as? String).flatMap { Data(base64Encoded: $0) })
          offset = data["next"] as? Int
        }
        #expect(whole == file)
        for offset in [file.count, file.count + 1, Int.max] {
          let behind = try backups.client.answer(#"{"method":"GET","path":"/_backups/monday.db?offset=\#(offset)"}"#)
          #expect(behind?.text.contains(#""data": "", "next": null}"#) == true)
        }
        #expect(try backups.client.code("DELETE", "/_backups/monday.db") == 204)
        for method in ["DELETE", "GET"] { #expect(try backups.client.code(method, "/_backups/monday.db") == 404) }
        #expect(try backups.names == [])
        #expect(backups.server.stop() == .exited(0))
        #expect(
          backups.server.complaints.filter { !$0.contains("backup_exists") && !$0.contains("is there already") } == [])
      }
    }

    @Test("a copy for fetching that nobody fetches any more goes, and the next may be made")
    func lostFetcher() async throws {
      try await withDatabase { database in
        let backups = try BackupServer(database, fill: 1, "--backup-fetch-timeout", "1")
        do {
          // Somebody who has it made, and is gone.
          let lost = try AccessClient(backups.server)
          #expect(try lost.answer(BackupServer.order(nil))?.code == 201)
          lost.socket.reset()
        }
        #expect(backups.besides.count == 1)
        let list = try backups.list()
        #expect(list.contains(#"{"items": [], "running": null, "fetching": {"name": "fetch-"#), "\(list)")
        try backups.wait("the copy stays") { backups.besides == [] }
        #expect(try backups.list().contains(#""fetching": null"#))
        #expect(try backups.make(nil)?.code == 201)
        #expect(backups.server.stop() == .exited(0))
        #expect(backups.besides == [])
      }
    }

    @Test("the command waits for a copy that somebody else has, says so, and then makes its own")
    func waitsForAnother() async throws {
      try await withDatabase { database in
        let backups = try BackupServer(database, fill: 1, "--backup-fetch-timeout", EndToEnd.isSanitized ? "10" : "3")
        #expect(try backups.make(nil)?.code == 201)
        let target = database + ".monday"
        let made = try Docket.run("backup", "--port", String(backups.server.port), target)
        #expect(made.ending == .exited(0) && made.output.hasPrefix(target), "\(made)")
        #expect(made.error == "docket: another backup is being made or fetched; waiting for it to end\n")
        try BackupServer.check(target)
        #expect(backups.server.stop() == .exited(0))
        #expect(backups.besides == [])
      }
    }

    @Test(
      "a backup that is being made at the end is ended, its client is told, and nothing of it is left",
      arguments: [true, false])
    func endWhileMaking(isNamed: Bool) async throws {
      try await withDatabase { database in
        try BackupServer.fill(database, 200)
        // Where a backup was faster than the signal, another one is not.
        for attempt in 1... {
          let backups = try BackupServer(database)
          try backups.client.send(BackupServer.order(isNamed ? "\(attempt).db" : nil))
          try backups.waitUntilRunning()
          backups.server.process.signal(SIGTERM)
          let answer = try #require(try backups.client.next())
          #expect(backups.server.process.waitForEnd() == .exited(0))
          #expect(backups.besides == [])
          if answer.code == 201, attempt < 10 { continue }
          #expect(answer.code == 503 && answer.error == "closing", "\(answer.text)")
          #expect(try !backups.names.contains { $0 == "\(attempt).db" || $0.hasPrefix(".") })
          #expect(backups.server.complaints == [])
          return
        }
      }
    }

    @Test("whatever is put into its folder, it serves backups and nothing else")
    func hostileFolder() async throws {
      try await withDatabase { database in
        let backups = try BackupServer(database, fill: 1)
        #expect(try backups.make("good.db")?.code == 201)
        let manager = FileManager.default
        for suffix in ["", "-wal", "-shm", ".lock"] {
          try manager.linkItem(atPath: database + suffix, toPath: "\(backups.folder)/hard\(suffix).db")
        }
        try manager.createSymbolicLink(atPath: "\(backups.folder)/soft.db", withDestinationPath: database)
        try manager.createDirectory(atPath: "\(backups.folder)/folder.db", withIntermediateDirectories: true)
        #expect(mkfifo("\(backups.folder)/pipe.db", 0o600) == 0)
        try Data("text".utf8).write(to: URL(fileURLWithPath: "\(backups.folder)/text.db"))
        let names = try backups.names
        let list = try backups.list()
        #expect(list.components(separatedBy: #""name""#).count == 2 && list.contains("good.db"), "\(list)")
        for name in names where name != "good.db" {
          for method in ["GET", "DELETE"] {
            #expect(try backups.client.code(method, "/_backups/\(name)") == 404, "\(name)")
          }
        }
        for path in [
          "/_backups/../docket.db", "/_backups/%2e%2e%2fdocket.db", "/_backups/..", "/_backups/.docket.db.fetch-1",
        ] {
          #expect(try backups.client.code("GET", path) == 400, "\(path)")
        }
        #expect(try backups.names == names)
        // The database is served as before.
        #expect(try backups.client.code("PUT", "/a/1", data: "1") == 201)
        #expect(try SQLiteCommand.run(database, "SELECT count(*) FROM documents").output == "2\n")
        #expect(backups.server.stop() == .exited(0))
        for name in names where name != "good.db" { try manager.removeItem(atPath: "\(backups.folder)/\(name)") }
      }
    }

    @Test("with tokens it takes one that is admin")
    func access() async throws {
      try await withDatabase { database in
        let backups = try BackupServer(database)
        let admin = try backups.server.shut().admin
        let reader = try admin.makeToken("reader", ["read:/", "write:/", "stats"])
        let client = try AccessClient(backups.server, token: reader)
        #expect(try admin.code("POST", "/_backups/", data: #"{"name":"a.db"}"#) == 201)
        for (method, path) in [
          ("POST", "/_backups/"), ("GET", "/_backups/"), ("GET", "/_backups/a.db"), ("DELETE", "/_backups/a.db"),
        ] {
          #expect(try client.code(method, path) == 403, "\(method) \(path)")
        }
        #expect(try backups.names == ["a.db"])
        #expect(backups.server.stop() == .exited(0))
      }
    }

    @Test(
      "a series goes on over a restart, keeps as many as it is told, and is not led astray by a clock that was ahead")
    func series() async throws {
      try await withDatabase { database in
        let folder = BackupServer.folder(of: database)
        let ahead = "docket-29990101T000000Z.db"
        func start() throws -> BackupServer {
          try BackupServer(database, "--backup-every", "1s", "--backup-keep", "2")
        }
        var backups = try start()
        // Where the series is at it, it is refused.
        try backups.wait("none is made") { try backups.make(ahead)?.code == 201 }
        var seen: Set<String> = []
        func see(_ count: Int) throws {
          try backups.wait("the series does not go on") {
            seen.formUnion(
              try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix("docket-2") })
            return seen.count >= count
          }
        }
        try see(4)
        #expect(backups.server.stop() == .exited(0))
        backups = try start()
        try see(6)
        try backups.wait("old ones stay") {
          let names = try backups.names.filter { !$0.hasPrefix(".") }
          return names.count <= 3 && names.contains(ahead)
        }
        #expect(backups.server.stop() == .exited(0))
        for name in try backups.names { try BackupServer.check("\(folder)/\(name)") }
      }
    }

    @Test("its options are refused where they cannot be meant")
    func options() async throws {
      try await withDatabase { database in
        let folder = (database as NSString).deletingLastPathComponent
        try Data().write(to: URL(fileURLWithPath: folder + "/file"))
        for (arguments, status, words) in [
          (["--backup-every", "1h"], 2, "add --backup-folder"), (["--backup-keep", "3"], 2, "add --backup-folder"),
          (["--backup-folder", folder + "/b", "--backup-keep", "3"], 2, "add --backup-every"),
          (["--backup-folder", folder + "/b", "--backup-every", "0s"], 2, "--backup-every"),
          (["--backup-folder", folder + "/b", "--backup-every", "1h", "--backup-keep", "0"], 2, "--backup-keep"),
          (["--backup-folder", folder + "/b", "--backup-fetch-timeout", "0"], 2, "--backup-fetch-timeout"),
          (["--backup-folder", folder], 1, "is the database's own folder"),
          (["--backup-folder", folder + "/file"], 1, "is no folder"),
          (["--backup-folder", folder + "/none/b"], 1, "cannot be made"),
        ] as [([String], Int32, String)] {
          let process = try ChildProcess(
            Docket.path, ["serve", "--port", "0", "--database", database] + arguments)
          #expect(process.waitForEnd() == .exited(status), "\(arguments)")
          #expect(process.errorOutput.contains(words), "\(process.errorOutput)")
        }
      }
    }

    @Test(
      "with its folder's disk full it says how much is needed, leaves nothing, and goes on",
      .enabled(if: geteuid() == 0, "only root may mount a file system, and this is not root"))
    func fullDisk() async throws {
      try await withDatabase { database in
        let folder = BackupServer.folder(of: database)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let mounted = try SQLiteCommand.shell("mount -t tmpfs -o size=1m tmpfs '\(folder)'", in: "/")
        guard mounted.status == 0 else { return print("no file system can be mounted here: \(mounted.error)") }
        defer { _ = try? SQLiteCommand.shell("umount '\(folder)'", in: "/") }
        let backups = try BackupServer(database, fill: 5)
        let answer = try #require(try backups.make("monday.db"))
        #expect(answer.code == 507 && answer.error == "disk_full", "\(answer.text)")
        #expect(answer.text.contains(#""needed": "#) && answer.text.contains(#""free": "#))
        #expect(try backups.names == [])
        #expect(try backups.client.code("PUT", "/a/1", data: "1") == 201)
        #expect(backups.server.stop() == .exited(0))
      }
    }
  }
}
