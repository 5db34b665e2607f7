import DocketClient
import DocketTestSupport
import Foundation
import NIOCore
import Testing

extension EndToEnd {
  @Suite("has queries on the command line")
  struct QueryCommandTests {
    private static func fill(_ folder: CommandFolder) throws {
      try folder.write(
        "export",
        """
        {"path": "/n/1", "document": {"status": "open", "priority": 1, "author": {"name": "Ada"}}}
        {"path": "/n/2", "document": {"status": "open", "priority": 3, "author": {"name": "Bo"}}}
        {"path": "/n/3", "document": {"status": "done", "priority": 2}}
        {"path": "/n/3/parts/1", "document": {"status": "open", "priority": 2}}
        {"path": "/other/1", "text": "{\\n\\"status\\": \\"open\\"}"}

        """)
      #expect(try folder.run(["import", "export"]).output == ImportTests.tally(imported: 5))
    }

    private static func paths(_ lines: String) -> [String] {
      lines.split(separator: "\n").compactMap { line in
        line.range(of: #""path": ""#).map { String(line[$0.upperBound...].prefix { $0 != "\"" }) }
      }
    }

    @Test("list finds, sorts, counts and cuts out")
    func list() async throws {
      try await withFolder { folder, _ in
        try Self.fill(folder)
        let open = ["--where", #"{"status": "open"}"#, "--all"]
        #expect(Self.paths(try folder.run(["list", "/n/"] + open).output) == ["/n/1", "/n/2"])
        #expect(
          Self.paths(
            try folder.run(["list", "/n/", "--recursive", "--sort=-priority,@id", "--limit", "1"] + open).output)
            == ["/n/2", "/n/3/parts/1", "/n/1"])
        #expect(Self.paths(try folder.run(["list", "/_documents"] + open).output).count == 4)
        let fields = try folder.run(["list", "/n/", "--fields", "author.name", "--where", #"{"priority": 1}"#, "--all"])
        #expect(fields.output.contains(#""document": {"author": {"name": "Ada"}}"#))
        let page = try folder.run(["list", "/n/", "--count", "--limit", "0", "--explain"])
        #expect(page.output.contains(#""count": 3"#) && page.output.contains(#""explain": {"#))
        let wrong = try folder.run(["list", "/n/", "--where", #"{"a": {"$x": 1}}"#])
        #expect(wrong.ending == .exited(1) && wrong.error.contains("400"))
      }
    }

    @Test("list --all tells once that an index would help")
    func warning() async throws {
      try await withFolder { folder, _ in
        let server = try ServerProcess(database: folder.path + "/w.db", ["--scan-warning-documents", "2"])
        let port = ["--port", "\(server.port)"]
        for id in 0..<6 { _ = try folder.run(["put", "/n/\(id)", #"{"a": \#(id / 4)}"#] + port) }
        let found = try folder.run(["list", "/n/", "--where", #"{"a": 0}"#, "--all", "--limit", "1"] + port)
        #expect(found.ending == .exited(0) && Self.paths(found.output).count == 4)
        let line = "docket: warning: The query looked at 3 documents without an index. An index of a would help.\n"
        #expect(found.error == line)
        #expect(server.stop() == .exited(0))
      }
    }

    @Test("export takes the whole database, nested collections, and what a condition finds")
    func export() async throws {
      try await withFolder { folder, _ in
        try Self.fill(folder)
        let all = try folder.run(["export"]).output
        #expect(Set(Self.paths(all)) == ["/n/1", "/n/2", "/n/3", "/n/3/parts/1", "/other/1"])
        #expect(all.contains(#""text": "{\n\"status\": \"open\"}"}"#))
        #expect(Self.paths(try folder.run(["export", "/n/"]).output).count == 3)
        #expect(Self.paths(try folder.run(["export", "/n/", "--recursive"]).output).count == 4)
        #expect(Self.paths(try folder.run(["export", "--where", #"{"status": "done"}"#]).output) == ["/n/3"])
      }
    }

    @Test("the whole database goes through a pipe into another one, and comes back the same")
    func pipe() async throws {
      try await withFolder { folder, _ in
        try Self.fill(folder)
        let other = try ServerProcess(database: folder.path + "/other.db")
        let piped = try folder.shell("docket export | docket import - --port \(other.port)")
        #expect(piped.output == ImportTests.tally(imported: 5))
        func documents(_ port: Int) throws -> Set<String> {
          let lines = try folder.shell("docket export --port \(port)").output.split(separator: "\n")
          return Set(
            lines.map { line in
              line.replacingOccurrences(of: #""revision": .*"expires""#, with: "", options: .regularExpression)
            })
        }
        #expect(try documents(folder.port) == documents(other.port))
        #expect(other.stop() == .exited(0))
      }
    }

    @Test("the client counts, adds up and follows pages")
    func client() async throws {
      try await TemporaryDatabase.use { path in
        let server = try await blocking { try ServerProcess(database: path) }
        let client = DocketClient(.tcp(host: "127.0.0.1", port: server.port))
        for number in 0..<25 {
          try await client.put(
            "/n/\(number)", data: ByteBuffer(string: #"{"n": \#(number), "odd": \#(number % 2 == 1)}"#))
        }
        let scope = QueryScope.collection("/n/")
        let odd = QueryCondition.field("odd", .equals(true))
        #expect(try await client.count(where: odd, in: scope) == 12)
        var ids: [String] = []
        let query = DocumentQuery(where: odd, sort: ["-n"], limit: 5)
        for try await item in client.results(of: query, in: scope) { ids.append(item.id) }
        #expect(ids == (0..<25).filter { $0 % 2 == 1 }.reversed().map(String.init))
        let sums = try await client.aggregate(
          ByteBuffer(string: #"{"total": {"sum": "n"}}"#), where: odd, in: scope)
        #expect(String(buffer: sums).contains(#""total": 144"#))
        await client.close()
        let ending = try await blocking { server.stop() }
        #expect(ending == .exited(0))
      }
    }
  }
}
