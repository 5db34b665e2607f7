import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  @Suite("finds documents by indexes")
  struct IndexTests {
    @Test("which settings name, and which stay over a restart")
    func settings() async throws {
      let query =
        #"{"method":"GET","path":"/notes/?where[status]=open&sort=-priority&fields=priority&explain=true"}"#
      let index = #""index": ["status", "-priority"], "sorted": "index", "scanned": 2"#
      try await withDatabase { database in
        let server = try ServerProcess(database: database)
        let found = try server.answers([
          #"{"method":"PUT","path":"/notes/1","data":{"status":"open","priority":1}}"#,
          #"{"method":"PUT","path":"/notes/2","data":{"status":"open","priority":2}}"#,
          #"{"method":"PUT","path":"/notes/3","data":{"status":"done","priority":3}}"#,
          #"{"method":"GET","path":"/_collections/notes/"}"#, query,
          #"{"method":"PUT","path":"/_collections/notes/","data":{"indexes":[["status","-priority"],"a.b"]}}"#,
          #"{"method":"PUT","path":"/_collections/notes/","data":{"indexes":[["status","-priority"]]}}"#, query,
          #"{"method":"GET","path":"/_collections/"}"#,
          #"{"method":"POST","path":"/_batch","data":[{"method":"DELETE","path":"/_collections/notes/"}]}"#,
        ])
        #expect(found[3].hasPrefix(#"{"code": 404, "#))
        #expect(found[4].contains(#""explain": {"index": null, "sorted": "memory", "scanned": 3}"#))
        #expect(
          found[5]
            == #"{"code": 201, "message": "Created", "data": {"collection": "/notes/", "settings": {"indexes": [["status", "-priority"], ["a.b"]]}, "indexesInAll": 2}}"#
        )
        #expect(found[6].contains(#""indexesInAll": 1"#) && found[6].hasPrefix(#"{"code": 200, "#))
        #expect(found[7].contains(index))
        #expect(
          found[8].contains(
            #"{"items": [{"collection": "/notes/", "settings": {"indexes": [["status", "-priority"]]}}]}"#))
        #expect(found[9].hasPrefix(#"{"code": 400, "#))
        #expect(server.stop() == .exited(0))

        let second = try ServerProcess(database: database)
        let later = try second.answers([query, #"{"method":"DELETE","path":"/_collections/notes/"}"#, query])
        #expect(later[0].contains(index) && later[0].contains(#""document": {"priority": 2}"#), "\(later[0])")
        #expect(later[1].hasPrefix(#"{"code": 204, "#))
        #expect(later[2].contains(#""explain": {"index": null"#))
        #expect(second.stop() == .exited(0))
        #expect(second.complaints == [])
      }
    }

    @Test(
      "and does not pass over terms that settings cannot have",
      arguments: [#""Prefer":"dry-run""#, #""If-Match":"9""#, #""If-None-Match":"*""#, #""Expires-In":5"#])
    func terms(header: String) async throws {
      try await withServer { (server) throws in
        let found = try server.answers([
          #"{"method":"PUT","path":"/_collections/n/","data":{"indexes":["a"]}}"#,
          #"{"method":"DELETE","path":"/_collections/n/","headers":{"# + header + "}}",
          #"{"method":"PUT","path":"/_collections/n/","data":{},"headers":{"# + header + "}}",
          #"{"method":"GET","path":"/_collections/n/","headers":{"Idempotency-Key":"k"}}"#,
        ])
        for answer in found[1...2] {
          #expect(answer.hasPrefix(#"{"code": 400, "#) && answer.contains(#""error": "invalid_settings""#), "\(answer)")
        }
        #expect(found[3].contains(#"{"indexes": [["a"]]}"#))
      }
    }

    @Test(
      "and says of settings that do not fit what is wrong",
      arguments: [
        ("[]", "invalid_settings"), (#"{"index": []}"#, "invalid_settings"), (#"{"indexes": 1}"#, "invalid_settings"),
        (#"{"indexes": [[]]}"#, "invalid_settings"), (#"{"indexes": [[1]]}"#, "invalid_settings"),
        (#"{"indexes": [["a", "-a"]]}"#, "invalid_settings"), (#"{"indexes": ["a", ["a"]]}"#, "invalid_settings"),
        (#"{"indexes": [["a","b","c","d","e","f","g","h","i"]]}"#, "invalid_settings"),
        (#"{"indexes": ["a..b"]}"#, "invalid_field"), (#"{"indexes": ["@id"]}"#, "invalid_field"),
        (#"{"indexes": ["tags.0"]}"#, "invalid_field"), (#"{"indexes": ["größe"]}"#, "invalid_field"),
        (#"{"indexes": ["a\"b"]}"#, "invalid_field"), (#"{"indexes": [""]}"#, "invalid_field"),
        (#"{"text": 1}"#, "invalid_settings"), (#"{"text": ["a", "a"]}"#, "invalid_settings"),
        (#"{"text": ["a", "A"]}"#, "invalid_settings"), (#"{"text": ["by.Rank", "BY.rank"]}"#, "invalid_settings"),
        (#"{"text": ["rank"]}"#, "invalid_settings"), (#"{"text": ["RowID"]}"#, "invalid_settings"),
        (#"{"text": ["-a"]}"#, "invalid_settings"), (#"{"text": ["a.0"]}"#, "invalid_field"),
        (#"{"text": ["größe"]}"#, "invalid_field"), (#"{"text": ["@id"]}"#, "invalid_field"),
        (#"{"text": \#((0..<17).map { "f\($0)" })}"#, "invalid_settings"),
      ])
    func refusals(settings: String, error: String) async throws {
      try await withServer { (server) throws in
        let answer = try server.answers([#"{"method":"PUT","path":"/_collections/notes/","data":"# + settings + "}"])[0]
        #expect(answer.hasPrefix(#"{"code": 400, "#) && answer.contains("\"error\": \"\(error)\""), "\(answer)")
      }
    }
  }
}
