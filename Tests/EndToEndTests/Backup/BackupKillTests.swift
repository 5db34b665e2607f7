import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  @Suite("makes backups that survive kill -9, or are not there")
  struct BackupKillTests {
    private static let rounds = count("DOCKET_TEST_BACKUP_KILL_ROUNDS", default: 12)

    @Test("of the server, whose next start clears away what was not whole")
    func server() async throws {
      let seed = SeededGenerator.forTest(named: "kill -9 of a server that makes backups")
      try await withDatabase { database in
        var random = seed
        try BackupServer.fill(database, 10)
        var whole = 0
        for round in 0..<Self.rounds {
          let backups = try BackupServer(database)
          #expect(try backups.names.allSatisfy { !$0.hasPrefix(".") } && backups.besides == [], "round \(round)")
          try backups.client.send(BackupServer.order(round % 3 == 2 ? nil : "\(round).db"))
          try backups.waitUntilBegun()
          usleep(UInt32.random(in: 0..<60_000, using: &random))
          #expect(backups.server.kill() == .signalled(SIGKILL))
          for name in try backups.names where !name.hasPrefix(".") {
            try BackupServer.check("\(backups.folder)/\(name)")
            try FileManager.default.removeItem(atPath: "\(backups.folder)/\(name)")
            whole += 1
          }
          // What is not whole is hidden, and shows no log or journal beside it.
          #expect(
            try backups.names.allSatisfy { $0.hasPrefix(".") && $0.hasSuffix(".docket-partial") }, "round \(round)")
        }
        let backups = try BackupServer(database)
        #expect(try backups.names == [] && backups.besides == [])
        // A name whose making was cut off can be taken anew.
        for round in 0..<Self.rounds { #expect(try backups.make("\(round).db")?.code == 201) }
        #expect(backups.server.stop() == .exited(0))
      }
    }

    @Test("of the command, whose next run clears away what was not whole")
    func command() async throws {
      let seed = SeededGenerator.forTest(named: "kill -9 of docket backup")
      try await withFolder { folder, server in
        var random = seed
        try BackupServer.fill(server.database, 10)
        for round in 0..<Self.rounds {
          let source = round % 2 == 0 ? [] : ["--database", "docket.db"]
          let process = try folder.start(["backup", "x.bak"] + source)
          usleep(UInt32.random(in: 0..<250_000, using: &random))
          process.signal(SIGKILL)
          _ = process.waitForEnd()
          let path = folder.path + "/x.bak"
          if FileManager.default.fileExists(atPath: path) {
            try BackupServer.check(path)
            try FileManager.default.removeItem(atPath: path)
          }
          let left = try Self.files(of: "x.bak", in: folder)
          #expect(left.allSatisfy { $0 == ".x.bak.docket-partial" }, "round \(round): \(left)")
        }
        let last = try folder.run(["backup", "--database", "docket.db", "x.bak"])
        #expect(last.ending == .exited(0), "\(last)")
        #expect(try Self.files(of: "x.bak", in: folder) == ["x.bak"])
      }
    }

    /// The file of that name, and hidden ones.
    private static func files(of name: String, in folder: CommandFolder) throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: folder.path).filter {
        $0 == name || $0.hasPrefix(".\(name)") || $0.hasPrefix(name + "-")
      }
    }

    @Test("and one of each form at once, while others write, is whole")
    func together() async throws {
      try await withFolder { folder, server in
        try BackupServer.fill(server.database, 3)
        let writing = try folder.start(["bench", "--workload", "put", "--connections", "4", "--seconds", "60"])
        for round in 0..<5 {
          let fetching = try folder.start(["backup", "fetched\(round).bak"])
          let copying = try folder.start(["backup", "--database", "docket.db", "copied\(round).bak"])
          #expect(fetching.waitForEnd() == .exited(0) && copying.waitForEnd() == .exited(0))
          for name in ["fetched", "copied"] { try BackupServer.check("\(folder.path)/\(name)\(round).bak") }
        }
        writing.signal(SIGTERM)
        #expect(writing.waitForEnd() != nil)
      }
    }
  }
}

extension BackupServer {
  /// Waits until a backup is being made, or was.
  fileprivate func waitUntilBegun() throws {
    try wait("no backup began") { try !names.isEmpty || !besides.isEmpty }
  }
}
