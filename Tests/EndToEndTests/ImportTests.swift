import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  @Suite("imports documents")
  struct ImportTests {
    @Test("from each format, from a file or standard input")
    func formats() async throws {
      try await withFolder { folder, server in
        let document = #"{"id": 1, "title": "one"}"#
        for (number, (name, text)) in [
          ("a.ndjson", "\(document)\r\n\n{\"id\": \"2\"}"), ("a.json", "[\(document), {\"id\": \"2\"}]\n"),
          ("a.csv", "\u{FEFF}id,title\r\n1,\"o\r\nne\"\r\n2,\"\"\"\"\r\n"),
        ].enumerated() {
          try folder.write(name, text)
          let collection = ["--collection", "/n\(number)/", "--id-field", "id"]
          #expect(try folder.run(["import", name] + collection).output == Self.tally(imported: 2))
          #expect(try folder.run(["import", name] + collection).output == Self.tally(replaced: 2))
          let format = name == "a.csv" ? ["--format", "csv"] : name == "a.json" ? ["--format", "array"] : []
          let piped = try folder.shell(
            "cat \(name) | docket import - \((collection + format).joined(separator: " ")) --quiet")
          #expect(piped.ending == .exited(0) && piped.output.isEmpty && piped.error.isEmpty)
        }
        #expect(try folder.run(["get", "/n0/1"]).output == document + "\n")
        #expect(try folder.run(["get", "/n1/2"]).output == "{\"id\": \"2\"}\n")
        #expect(try folder.run(["get", "/n2/1"]).output == #"{"id": "1", "title": "o\r\nne"}"# + "\n")
        #expect(try folder.run(["get", "/n2/2"]).output == #"{"id": "2", "title": "\""}"# + "\n")
      }
    }

    @Test("nothing from an empty source", arguments: ["ndjson", "csv", "array", "export"])
    func empty(_ format: String) async throws {
      try await withFolder { folder, _ in
        try folder.write("empty", format == "array" ? "[ ]" : "")
        let collection = format == "export" ? [] : ["--collection", "/n/"]
        let result = try folder.run(["import", "empty", "--format", format] + collection)
        #expect(result.ending == .exited(0) && result.output == Self.tally())
      }
    }

    @Test("names bad lines, and stops at the first one or goes on")
    func badLines() async throws {
      try await withFolder(["--max-document-bytes", "1000"]) { folder, server in
        let long = String(repeating: "x", count: 2000)
        try folder.write(
          "a.ndjson",
          """
          {"id": 1}
          {"id": 2
          {"id": 3}
          {"id": "a/b"}

          {"id": 4, "long": "\(long)"}
          {"id": 5}
          """)
        let arguments = ["import", "a.ndjson", "--collection", "/n/", "--id-field", "id"]
        let stopped = try folder.run(arguments)
        #expect(stopped.ending == .exited(1) && stopped.output == Self.tally(imported: 1, bad: 1))
        #expect(stopped.error == "docket: a.ndjson: line 2: the JSON text ends too early at byte 8\n")
        // The server refuses what is longer than it takes; the importer, once it is told.
        for limit in [[], ["--max-document-bytes", "1000"]] {
          let skipped = try folder.run(arguments + ["--on-error", "skip"] + limit)
          #expect(skipped.ending == .exited(1))
          #expect(
            skipped.output == Self.tally(imported: limit.isEmpty ? 2 : 0, replaced: limit.isEmpty ? 1 : 3, bad: 3))
          #expect(skipped.errorLines.count == 3)
          for line in [2, 4, 6] { #expect(skipped.error.contains("docket: a.ndjson: line \(line): ")) }
        }
        for (text, tally, place) in [
          ("[1, nonsense, 3]", Self.tally(imported: 2, bad: 1), "element 2: "),
          ("[1, {, 3]", Self.tally(imported: 1, bad: 1), "the array has no end"),
          ("{}", Self.tally(bad: 1), "this is no JSON array"),
        ] {
          let array = try folder.shell(
            "echo '\(text)' | docket import - --collection /m/ --format array --on-error skip")
          #expect(array.ending == .exited(1) && array.output == tally)
          #expect(array.error.contains("standard input: element ") && array.error.contains(place))
        }
        try folder.write("wide.csv", "a,b\n1\n")
        #expect(
          try folder.run(["import", "wide.csv", "--collection", "/m/"]).error.contains("wide.csv: line 2: 1 fields"))
      }
    }

    @Test("as deep as documents may be, and as long")
    func limits() async throws {
      try await withFolder { folder, _ in
        let deep = String(repeating: "[", count: 128) + String(repeating: "]", count: 128)
        let long = "\"" + String(repeating: "x", count: (1 << 20) - 2) + "\""
        try folder.write(
          "a.ndjson", "1\n\(deep)\n\(long)\n[\(deep)]\n\(long)x\n\(String(repeating: " ", count: 7 << 20))\n2\n")
        let result = try folder.run(["import", "a.ndjson", "--collection", "/n/", "--on-error", "skip"])
        #expect(result.output == Self.tally(imported: 4, bad: 3), "\(result.error)")
        #expect(result.errorLines.map { $0.split(separator: ":")[2] } == [" line 4", " line 5", " line 6"])
      }
    }

    @Test(
      "and does not begin with options that do not fit",
      arguments: [
        ["a.csv"], ["a.json"], ["a.ndjson", "--id-field", "id"], ["a", "--format", "export", "--collection", "/n/"],
        ["a.ndjson", "--collection", "/n/", "--typed"], ["a.ndjson", "--collection", "/n"],
        ["a.ndjson", "--collection", "/n/", "--batch-size", "1001"], ["a.ndjson", "--on-error", "cry"],
      ])
    func usage(_ arguments: [String]) throws {
      let process = try ChildProcess(Docket.path, ["import"] + arguments)
      #expect(process.waitForEnd() == .exited(2), "\(arguments): \(process.errorOutput)")
    }

    @Test("each once, though the importer is killed again and again", arguments: ["ndjson", "csv", "json"])
    func killed(_ ending: String) async throws {
      var generator = SeededGenerator.forTest(named: "killed importer \(ending)")
      let seed = generator.next()
      try await withFolder { folder, server in
        var generator = SeededGenerator(seed: seed)
        let total = 20_000
        let lines = (0..<total).map { ending == "csv" ? "\($0),\"a\nb\"" : #"{"n": \#($0)}"# }
        switch ending {
        case "csv": try folder.write("a.csv", "n,t\n" + lines.joined(separator: "\n\n"))
        case "json": try folder.write("a.json", "[\(lines.joined(separator: ",\n"))]")
        default: try folder.write("a.ndjson", lines.joined(separator: "\n\n") + "\nbad")
        }
        let arguments = [
          "import", "a.\(ending)", "--collection", "/n/", "--resume", "state", "--on-error", "skip", "--batch-size",
          "20",
        ]
        var kills = 0
        while kills < 1000 {
          let process = try folder.start(arguments)
          // Under a sanitizer it takes a second to begin.
          let pause = UInt32.random(in: 10_000...400_000, using: &generator)
          usleep(EndToEnd.isSanitized ? 5 * pause : pause)
          process.signal(SIGKILL)
          guard let end = process.waitForEnd(), end != .signalled(SIGKILL) else {
            kills += 1
            continue
          }
          let bad = ending == "ndjson" ? 1 : 0
          #expect(end == .exited(Int32(bad)), "\(process.errorOutput)")
          #expect(process.remainingOutput == Self.tally(imported: total, bad: bad))
          break
        }
        #expect(kills > 0)
        let count = try SQLiteCommand.run(
          server.database, "SELECT count(*), count(DISTINCT data ->> 'n') FROM documents WHERE collection = '/n/'"
        ).output
        #expect(count == "\(total)|\(total)\n", "after \(kills) kills")
        let again = try folder.run(arguments)
        #expect(again.output == Self.tally(imported: total, bad: ending == "ndjson" ? 1 : 0))
      }
    }

    @Test("again from a batch that the server refused, counted once", arguments: [[], ["--id-field", "id"]])
    func refused(_ options: [String]) async throws {
      try await withDatabase { database in
        let path = (database as NSString).deletingLastPathComponent
        let server = try ServerProcess(database: database, ["--max-document-bytes", "1000"])
        let folder = CommandFolder(path: path, port: server.port)
        let long = String(repeating: "x", count: 2000)
        try folder.write(
          "a.ndjson", (1...9).map { #"{"id": \#($0), "text": "\#($0 == 5 ? long : "")"}"# }.joined(separator: "\n"))
        let arguments =
          ["import", "a.ndjson", "--collection", "/n/", "--batch-size", "2", "--resume", "state"] + options
        let stopped = try folder.run(arguments)
        #expect(stopped.ending == .exited(1) && stopped.output == Self.tally(imported: 7, bad: 1))
        // What came behind the refused batch is there, and is sent again.
        let behind = options.isEmpty ? Self.tally(imported: 7, bad: 1) : Self.tally(imported: 4, replaced: 3, bad: 1)
        let again = try folder.run(arguments)
        #expect(again.ending == .exited(1) && again.output == behind)
        for result in [stopped, again] {
          #expect(result.errorLines.count == 1 && result.error.contains("docket: a.ndjson: line 5: "))
        }
        #expect(server.stop() == .exited(0))
        let next = try ServerProcess(database: database, port: server.port)
        let all = options.isEmpty ? Self.tally(imported: 9) : Self.tally(imported: 6, replaced: 3)
        for _ in 0..<2 {
          let done = try folder.run(arguments)
          #expect(done.ending == .exited(0) && done.output == all, "\(done.error)")
        }
        #expect(
          try SQLiteCommand.run(database, "SELECT count(*), count(DISTINCT data ->> 'id') FROM documents").output
            == "9|9\n")
        #expect(next.stop() == .exited(0))
      }
    }

    @Test("what a trigger has refused, once it does so no more")
    func trigger() async throws {
      try await withFolder { folder, server in
        try folder.write("a.ndjson", (1...9).map { #"{"n": \#($0)}"# }.joined(separator: "\n"))
        _ = try SQLiteCommand.run(
          server.database,
          """
          CREATE TRIGGER no BEFORE INSERT ON document_rows WHEN new.data LIKE '%5%' BEGIN
            SELECT raise(ABORT, 'no five');
          END
          """)
        let arguments = ["import", "a.ndjson", "--collection", "/n/", "--batch-size", "2", "--resume", "state"]
        for _ in 0..<2 {
          let stopped = try folder.run(arguments)
          #expect(stopped.ending == .exited(1) && stopped.output == Self.tally(imported: 7, bad: 1), "\(stopped.error)")
        }
        _ = try SQLiteCommand.run(server.database, "DROP TRIGGER no")
        #expect(try folder.run(arguments).output == Self.tally(imported: 9))
        #expect(
          try SQLiteCommand.run(
            server.database, "SELECT count(*), count(DISTINCT data ->> 'n') FROM documents"
          ).output == "9|9\n")
      }
    }

    @Test("while its server is killed and comes back")
    func serverKilled() async throws {
      try await withDatabase { database in
        let path = (database as NSString).deletingLastPathComponent
        let server = try ServerProcess(database: database)
        let folder = CommandFolder(path: path, port: server.port)
        let total = 20_000
        try folder.write("a.ndjson", (0..<total).map { #"{"n": \#($0)}"# }.joined(separator: "\n"))
        let process = try folder.start(["import", "a.ndjson", "--collection", "/n/", "--batch-size", "20"])
        usleep(300_000)
        #expect(server.kill() == .signalled(SIGKILL))
        let next = try ServerProcess(database: database, port: server.port)
        #expect(process.waitForEnd() == .exited(0), "\(process.errorOutput)")
        #expect(process.remainingOutput == Self.tally(imported: total))
        #expect(
          try SQLiteCommand.run(database, "SELECT count(DISTINCT data ->> 'n') FROM documents").output == "\(total)\n")
        #expect(next.stop() == .exited(0))
      }
    }

    @Test("not into a state of another import")
    func foreignState() async throws {
      try await withFolder { folder, _ in
        try folder.write("a.ndjson", "1\n2\n")
        let arguments = ["import", "a.ndjson", "--collection", "/n/", "--resume", "state"]
        #expect(try folder.run(arguments).output == Self.tally(imported: 2))
        let other = try folder.run(["import", "a.ndjson", "--collection", "/m/", "--resume", "state"])
        #expect(other.ending == .exited(1) && other.error.contains("other options"))
        try folder.write("a.ndjson", "1\n2\n3\n")
        let grown = try folder.run(arguments)
        #expect(grown.ending == .exited(1) && grown.error.contains("another size"))
        try folder.write("state", "nonsense")
        #expect(try folder.run(arguments).error.contains("state is no state of an import"))
      }
    }

    static func tally(imported: Int = 0, replaced: Int = 0, skipped: Int = 0, bad: Int = 0) -> String {
      #"{"imported": \#(imported), "replaced": \#(replaced), "skipped": \#(skipped), "bad": \#(bad)}"# + "\n"
    }
  }
}
