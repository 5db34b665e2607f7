import DocketTestSupport
import Foundation
import Synchronization
import Testing

extension EndToEnd {
  @Suite("exports a collection")
  struct ExportTests {
    /// The lines of an export without what is not put back.
    private static func documents(_ export: String) -> [Substring] {
      export.split(separator: "\n").map { line in
        let path = line.prefix(upTo: line.range(of: ", \"revision\"")?.lowerBound ?? line.endIndex)
        let document = line.range(of: ", \"expires\": ").map { line[$0.upperBound...] } ?? ""
        return path + document
      }
    }

    @Test("and what is exported, imported and exported again is the same byte for byte")
    func roundTrip() async throws {
      let documents = [
        "1", "\"\\u00fc \u{2028}\"", "{\"a\" :1.0e+5 , \"a\": {}}", "{\n  \"a\": [\r\n 1,\t2 ]\n}", "[ ]", "\"\\n\"",
        "{\"b\":\r\"say \\\"x\\\"\"}", String(repeating: "[", count: 128) + String(repeating: "]", count: 128),
      ]
      let lines = Mutex("")
      try await withFolder { folder, _ in
        for (index, document) in documents.enumerated() {
          try folder.write("document", document)
          #expect(try folder.run(["put", Self.path(index), "@document"]).ending == .exited(0))
        }
        let export = try folder.run(["export", "/n/", "--output", "export"])
        #expect(export.ending == .exited(0) && export.output.isEmpty && export.error.isEmpty)
        let text = try folder.read("export")
        #expect(text.split(separator: "\n").count == documents.count)
        #expect(text.contains(#""expires": null, "document": {"a" :1.0e+5 , "a": {}}}"#))
        #expect(text.contains(#""text": "{\n  \"a\": [\r\n 1,\t2 ]\n}"}"#))
        #expect(try folder.run(["export", "/n/"]).output == text)
        lines.withLock { $0 = text }
      }
      let exported = lines.withLock { $0 }
      try await withFolder { folder, _ in
        try folder.write("export", exported)
        #expect(try folder.run(["import", "export"]).output == ImportTests.tally(imported: documents.count))
        #expect(Self.documents(try folder.run(["export", "/n/"]).output) == Self.documents(exported))
        for (index, document) in documents.enumerated() {
          #expect(try folder.run(["get", Self.path(index)]).output == document + "\n")
        }
      }
    }

    @Test("and leaves nothing of it behind when a signal ends it", arguments: [SIGINT, SIGTERM, SIGHUP])
    func signal(_ signal: Int32) async throws {
      try await withFolder { folder, server in
        // It has the question, and does not answer.
        server.process.signal(SIGSTOP)
        defer { server.process.signal(SIGCONT) }
        let process = try folder.start(["export", "/n/", "--output", "all"])
        try Self.waitForPart(of: "all", in: folder)
        process.signal(signal)
        #expect(process.waitForEnd() == .exited(1))
        #expect(process.errorOutput == "docket: stopped; nothing was made\n")
        #expect(try Self.names("all", in: folder).isEmpty)
      }
    }

    @Test("and goes on when its terminal ends where SIGHUP is ignored, as nohup has it")
    func ignoredHangUp() async throws {
      try await withFolder { folder, server in
        #expect(try folder.run(["put", "/n/1", "1"]).ending == .exited(0))
        server.process.signal(SIGSTOP)
        defer { server.process.signal(SIGCONT) }
        let process = try folder.startShell("trap '' HUP; exec docket export /n/ --output all")
        try Self.waitForPart(of: "all", in: folder)
        process.signal(SIGHUP)
        server.process.signal(SIGCONT)
        #expect(process.waitForEnd() == .exited(0))
        #expect(try Self.names("all", in: folder) == ["all"])
        #expect(try folder.read("all").hasPrefix(#"{"path": "/n/1""#))
      }
    }

    private static func names(_ prefix: String, in folder: CommandFolder) throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasPrefix(prefix) }
    }

    private static func waitForPart(of name: String, in folder: CommandFolder) throws {
      for _ in 0..<2_000 where try names(name, in: folder).isEmpty { usleep(10_000) }
      #expect(try names(name, in: folder).count == 1)
    }

    @Test("and no database gives way to an export, nor what belongs to one")
    func overDatabase() async throws {
      try await withFolder { folder, _ in
        #expect(try folder.run(["put", "/n/1", "1"]).ending == .exited(0))
        #expect(try folder.run(["backup", "copy.db"]).ending == .exited(0))
        let before = try folder.shell("cksum copy.db").output
        for name in ["copy.db", "copy.db-wal", "copy.db.lock"] {
          let export = try folder.run(["export", "/n/", "--output", name])
          #expect(export.ending == .exited(1) && export.error.contains("choose another name"))
        }
        #expect(try folder.shell("cksum copy.db").output == before)
      }
    }

    @Test("and what is to stay stays, also where its collection has a lifetime set")
    func setLifetimes() async throws {
      try await withFolder { folder, _ in
        #expect(try folder.run(["put", "/n/1", "1"]).ending == .exited(0))
        #expect(try folder.run(["put", "/n/2", "2", "--expires-in", "3600"]).ending == .exited(0))
        #expect(try folder.run(["export", "/n/", "--output", "export"]).ending == .exited(0))
        #expect(try folder.run(["settings", "/n/", #"{"expire": 60}"#]).ending == .exited(0))
        #expect(try folder.run(["import", "export"]).output == ImportTests.tally(replaced: 2))
        #expect(try folder.run(["put", "/n/3", "3", "--expires-in", "never"]).ending == .exited(0))
        let lines = try folder.run(["export", "/n/"]).output.split(separator: "\n")
        #expect(lines.map { $0.contains(#""expires": null"#) } == [true, false, true])
      }
    }

    @Test("and an end that SQL has put further away than a request can say is put back as the furthest")
    func farEnds() async throws {
      try await withFolder { folder, server in
        #expect(try folder.run(["put", "/n/1", "1"]).ending == .exited(0))
        let change = "UPDATE documents SET expires_at = '9999-12-31T00:00:00Z'"
        #expect(try SQLiteCommand.run(server.database, change).status == 0)
        #expect(try folder.run(["export", "/n/", "--output", "export"]).ending == .exited(0))
        #expect(try folder.read("export").contains("9999-12-31"))
        #expect(try folder.run(["import", "export"]).output == ImportTests.tally(replaced: 1))
        let years = try SQLiteCommand.run(
          server.database, "SELECT strftime('%Y', expires_at) - strftime('%Y', 'now') FROM documents")
        #expect(["99\n", "100\n"].contains(years.output))
      }
    }

    private static func path(_ index: Int) -> String { "/n/\(index)%25 \"ä\\" }

    @Test("of one moment, in as many pages as it takes, while others write")
    func moment() async throws {
      try await withFolder { folder, server in
        let total = 3500
        try folder.write("a.ndjson", (0..<total).map { #"{"id": \#($0), "v": 0}"# }.joined(separator: "\n"))
        let collection = ["--collection", "/n/", "--id-field", "id"]
        #expect(try folder.run(["import", "a.ndjson"] + collection).output == ImportTests.tally(imported: total))
        try folder.write("b.ndjson", (0..<total).map { #"{"id": \#($0), "v": 1}"# }.joined(separator: "\n"))
        for delay in [0, 20_000, 50_000] {
          let writer = try folder.start(["import", "b.ndjson", "--batch-size", "7"] + collection)
          usleep(UInt32(delay))
          let lines = try folder.run(["export", "/n/"]).output.split(separator: "\n")
          #expect(writer.waitForEnd() == .exited(0))
          // What the writer had done is a beginning of its file, at a batch's end.
          let new = lines.filter { $0.hasSuffix("\"v\": 1}}") }.count
          #expect(new % 7 == 0 || new == total, "\(new) of \(lines.count)")
          #expect(lines.count == total)
          let ids = Set(lines.map { $0.prefix(while: { $0 != "," }) })
          #expect(ids.count == lines.count)
          #expect(try folder.run(["import", "a.ndjson"] + collection).ending == .exited(0))
        }
      }
    }

    @Test("with lifetimes, of which an import leaves what is left", .disabled(if: EndToEnd.isSanitized))
    func lifetimes() async throws {
      try await withFolder { folder, _ in
        #expect(try folder.run(["put", "/n/1", "1", "--expires-in", "1000"]).ending == .exited(0))
        #expect(try folder.run(["put", "/n/2", "2", "--expires-in", "1"]).ending == .exited(0))
        let lines = try folder.run(["export", "/n/"]).output
        #expect(lines.split(separator: "\n").count == 2 && !lines.contains("\"expires\": null"))
        try folder.write("export", lines)
        sleep(2)
        #expect(try folder.run(["import", "export"]).output == ImportTests.tally(replaced: 1, skipped: 1))
        let again = try folder.run(["export", "/n/"]).output
        #expect(again.split(separator: "\n").count == 1 && !again.contains("\"expires\": null"))
      }
    }

    @Test("and leaves no file where it fails")
    func failure() async throws {
      try await withFolder { folder, server in
        try folder.write("there", "before")
        let device = try folder.run(["export", "/n/", "--output", "/dev/null"])
        #expect(device.ending == .exited(1) && device.error.contains("no file that could be replaced"))
        #expect(server.stop() == .exited(0))
        #expect(try folder.run(["export", "/n/", "--output", "there"]).ending == .exited(1))
        #expect(try folder.read("there") == "before")
        #expect(try !FileManager.default.contentsOfDirectory(atPath: folder.path).contains { $0.hasPrefix("there.") })
        #expect(try folder.run(["export", "/n/1"]).ending == .exited(2))
      }
    }
  }
}
