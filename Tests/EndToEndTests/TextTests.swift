import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  @Suite("searches words in texts")
  struct TextTests {
    private static func ids(_ answer: String) -> [String] {
      answer.components(separatedBy: #""id": ""#).dropFirst().compactMap { $0.components(separatedBy: "\"").first }
    }

    private static func get(_ data: String) -> String {
      #"{"method":"GET","path":"/notes/","data":"# + data + "}"
    }

    private static let set = #"{"method":"PUT","path":"/_collections/notes/","data":{"text":["title","body"]}}"#

    @Test("the best first, with the piece that fits, whoever wrote it, over a restart and by sqlite3")
    func search() async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database)
        let found = try server.answers([
          #"{"method":"PUT","path":"/notes/1","data":{"title":"Swift","body":"swift, swift: an event loop","n":1}}"#,
          #"{"method":"PUT","path":"/notes/2","data":{"title":"Loops","body":"An event loop in Swift","n":2}}"#,
          #"{"method":"PUT","path":"/notes/3","data":{"title":"Rust","body":"An event loop","n":3}}"#,
          Self.get(#"{"where":{"$text":"swift"}}"#), Self.set,
          Self.get(#"{"where":{"$text":"swift"},"fields":"n","explain":true,"count":true}"#),
          Self.get(#"{"where":{"$text":"event","n":{"$lt":3}},"sort":"-n","fields":"n"}"#),
          Self.get(#"{"where":{"$text":"event"},"aggregate":{"n":"count","sum":{"sum":"n"}}}"#),
          #"{"method":"GET","path":"/notes/?where[$text]=title : rust&fields=n"}"#,
          #"{"method":"POST","path":"/_batch","data":{"requests":[{"method":"PUT","path":"/notes/4","data":{"title":"no"}},{"method":"DELETE","path":"/notes/none"}]}}"#,
          Self.get(#"{"where":{"$text":"no"}}"#),
        ])
        #expect(found[3].contains(#""error": "no_text_index""#))
        #expect(
          found[4].contains(#""settings": {"indexes": [], "text": ["title", "body"]}, "indexesInAll": 1"#))
        #expect(Self.ids(found[5]) == ["1", "2"])
        #expect(
          found[5].contains(#", "snippet": "**swift**, **swift**: an event loop", "document": {"n": 1}}"#),
          "\(found[5])")
        #expect(
          found[5].hasSuffix(
            #""count": 2, "explain": {"index": ["$text"], "sorted": "memory", "scanned": 2}}}"#))
        #expect(found[5].components(separatedBy: "\"score\": ").count == 3)
        #expect(Self.ids(found[6]) == ["2", "1"] && !found[6].contains("score"))
        #expect(found[6].contains(#""snippet": "An **event** loop in Swift", "document""#))
        #expect(found[7].contains(#"{"groups": [{"n": 3, "sum": 6}], "next": null}"#))
        #expect(Self.ids(found[8]) == ["3"])
        #expect(found[9].hasPrefix(#"{"code": 404, "#) && Self.ids(found[10]) == [])

        let outcome = try SQLiteCommand.run(
          database,
          """
          .timeout 10000
          INSERT INTO documents(collection, id, data) VALUES ('/notes/', '5', '{"title": "by hand"}');
          UPDATE documents SET data = json_set(data, '$.title', 'Zig') WHERE id = '3';
          SELECT id FROM document_rows JOIN "/notes/ text" AS found ON found.rowid = key WHERE "/notes/ text" MATCH 'zig';
          """)
        #expect(outcome.output == "3\n" && outcome.error == "")
        let queries = [
          Self.get(#"{"where":{"$text":"hand OR zig"},"sort":"@id"}"#), Self.get(#"{"where":{"$text":"rust"}}"#),
        ]
        for server in [server, nil] {
          let server = try server ?? ServerProcess(database: database)
          let later = try server.answers(queries)
          #expect(Self.ids(later[0]) == ["3", "5"] && Self.ids(later[1]) == [])
          #expect(server.stop() == .exited(0))
          #expect(server.complaints == [])
        }
      }
    }

    @Test("page by page, each document once, in both orders")
    func pages() async throws {
      try await withServer { (server) throws in
        let writes = (0..<60).map { number in
          #"{"method":"PUT","path":"/notes/\#(number)","data":{"title":"\#(String(repeating: "word ", count: 1 + number % 4))","n":\#(number % 7)}}"#
        }
        _ = try server.answers([Self.set] + writes)
        for sort in ["", #","sort":["-n"]"#] {
          var found: [String] = []
          var after = ""
          for _ in 0..<20 {
            let page = try server.answers([Self.get(#"{"where":{"$text":"word"},"limit":7\#(sort)\#(after)}"#)])[0]
            found += Self.ids(page)
            guard let next = page.components(separatedBy: #""next": ""#).last, next != page else { break }
            after = #","after":"\#(next.prefix { $0 != "\"" })""#
          }
          #expect(found.count == 60 && Set(found).count == 60)
          // A cursor is of its own query.
          let other = try server.answers([Self.get(#"{"where":{"$text":"words"},"limit":7\#(sort)\#(after)}"#)])[0]
          #expect(other.contains(#""error": "invalid_cursor""#))
        }
      }
    }

    @Test(
      "and whatever is asked for, says what is wrong and changes nothing",
      arguments: [
        (#"\""#, "invalid_text"), ("'; DROP TABLE documents; --", "invalid_text"), ("nope : a", "invalid_text"),
        ("NEAR(a", "invalid_text"), ("*", "invalid_text"), ("*reads", "invalid_text"), ("a AND", "invalid_text"),
        (" ", "invalid_text"), ("^", "invalid_text"), ("title:", "invalid_text"), ("swift-nio", "invalid_text"),
        (String(repeating: "(", count: 4_096), "invalid_text"),
        (String(repeating: "(", count: 500) + "a" + String(repeating: ")", count: 500), "invalid_text"),
        (String(repeating: "NOT ", count: 1_000), "invalid_text"),
        (String(repeating: "x", count: 4_097), "invalid_query"),
        ("", "invalid_query"), (#"a\u0000b"#, "invalid_query"),
      ])
    func refusals(expression: String, error: String) async throws {
      try await withServer(["--refuse-scans", "--scan-warning-documents", "1"]) { (server) throws in
        let query = Self.get(#"{"where":{"$text":"\#(expression)"}}"#)
        let found = try server.answers([
          Self.set, #"{"method":"PUT","path":"/notes/1","data":{"title":"a"}}"#,
          #"{"method":"PUT","path":"/notes/2","data":{"title":"a"}}"#,
          #"{"method":"PUT","path":"/notes/3","data":{"title":"a"}}"#, query,
          Self.get(#"{"where":{"$text":"\#(expression)"},"limit":0,"count":true}"#),
          Self.get(#"{"where":{"$text":"\#(expression)"},"aggregate":{"n":"count"}}"#),
          // What is found by words is no scan.
          Self.get(#"{"where":{"$text":"a"}}"#),
        ])
        for answer in found[4...6] {
          #expect(answer.hasPrefix(#"{"code": 400, "#) && answer.contains("\"error\": \"\(error)\""), "\(answer)")
          #expect(!answer.contains("SQLite") && !answer.contains("SELECT"), "\(answer)")
        }
        #expect(Self.ids(found[7]) == ["1", "2", "3"] && !found[7].contains("warning"))
        #expect(server.complaints == [])
      }
    }

    @Test("for the command, too")
    func command() async throws {
      try await withFolder { folder, _ in
        _ = try folder.shell("docket put /notes/1 '{\"title\": \"An event loop\"}'")
        _ = try folder.shell("docket settings /notes/ '{\"text\": [\"title\"]}'")
        let list = try folder.shell("docket list /notes/ --where '{\"$text\": \"event\"}'").output
        #expect(
          list.contains(#""snippet": "An **event** loop", "document": "#) && list.contains("\"score\": "), "\(list)")
      }
    }
  }
}
