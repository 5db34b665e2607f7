import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  @Suite("keeps to what is set for collections")
  struct RuleTests {
    @Test("a duplicate is told which document it is one of, in a batch as well, and over a restart")
    func unique() async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database)
        let found = try server.answers([
          #"{"method":"PUT","path":"/users/a b","data":{"mail":"x","n":1}}"#,
          #"{"method":"PUT","path":"/_collections/users/","data":{"unique":["mail",["n","m"]],"indexes":["mail"]}}"#,
          #"{"method":"POST","path":"/users/","data":{"mail":"x"}}"#,
          #"{"method":"POST","path":"/_batch","data":{"requests":[{"method":"PUT","path":"/users/2","data":{"mail":"y"}},{"method":"PUT","path":"/users/3","data":{"mail":"y"}}]}}"#,
          #"{"method":"GET","path":"/users/?where[mail]=y&limit=0&count=true&explain=true"}"#,
        ])
        #expect(
          found[1].contains(
            #""settings": {"indexes": [["mail"]], "unique": [["mail"], ["n", "m"]]}, "indexesInAll": 2}"#),
          "\(found[1])")
        let refusal =
          #"{"code": 409, "message": "Conflict", "data": {"error": "duplicate", "detail": "The document /users/a b has the same mail, which is unique in /users/ (PUT /_collections/users/). Nothing was changed.", "path": "/users/a b"}}"#
        #expect(found[2] == refusal)
        #expect(found[3].hasPrefix(#"{"code": 409, "#) && found[3].contains(#""path": "/users/2""#), "\(found[3])")
        #expect(found[4].contains(#""count": 0, "explain": {"index": ["mail"]"#), "\(found[4])")
        #expect(server.stop() == .exited(0))
        let second = try ServerProcess(database: database)
        #expect(try second.answers([#"{"method":"POST","path":"/users/","data":{"mail":"x"}}"#])[0] == refusal)
        #expect(second.stop() == .exited(0))
        #expect(second.complaints == [])
      }
    }

    @Test("what is not unique cannot become so")
    func notUnique() async throws {
      try await withServer { (server) throws in
        let found = try server.answers([
          #"{"method":"PUT","path":"/users/1","data":{"mail":"x"}}"#,
          #"{"method":"PUT","path":"/users/2","data":{"mail":"x"}}"#,
          #"{"method":"PUT","path":"/_collections/users/","data":{"unique":["mail"]}}"#,
          #"{"method":"GET","path":"/_collections/users/"}"#,
        ])
        #expect(
          found[2]
            == #"{"code": 409, "message": "Conflict", "data": {"error": "not_unique", "detail": "mail cannot be unique in /users/: the documents '1' and '2' have the same, and there may be more. Nothing was changed."}}"#
        )
        #expect(found[3].hasPrefix(#"{"code": 404, "#))
      }
    }

    @Test("writes without a condition are refused where one is required")
    func conditions() async throws {
      try await withServer { (server) throws in
        let found = try server.answers([
          #"{"method":"PUT","path":"/_collections/n/","data":{"requireIfMatch":true}}"#,
          #"{"method":"PUT","path":"/n/1","data":1}"#, #"{"method":"DELETE","path":"/n/1"}"#,
          #"{"method":"PATCH","path":"/n/1","data":{}}"#,
          #"{"method":"PUT","path":"/n/1","data":1,"headers":{"If-None-Match":"*"}}"#,
          #"{"method":"PUT","path":"/n/1","data":2,"headers":{"If-Match":"1"}}"#,
          #"{"method":"POST","path":"/n/1?restore=1"}"#,
          #"{"method":"POST","path":"/n/","data":1}"#, #"{"method":"GET","path":"/n/1"}"#,
          #"{"method":"PUT","path":"/n/9","data":1,"headers":{"Idempotency-Key":"k"}}"#,
        ])
        let codes = found.map { $0.split(separator: ",")[0].suffix(3) }
        #expect(codes == ["201", "428", "428", "428", "201", "200", "428", "201", "200", "428"])
        #expect(
          found[1]
            == #"{"code": 428, "message": "Precondition Required", "data": {"error": "precondition_required", "detail": "Documents of /n/ are changed on a condition only: read the document and send If-Match with its ETag, or If-None-Match: * to create it. Nothing was changed."}}"#
        )
      }
    }

    @Test("documents end as is set, also those that sqlite3 inserts")
    func lifetimes() async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database)
        _ = try server.answers([
          #"{"method":"PUT","path":"/_collections/n/","data":{"expire":1}}"#,
          #"{"method":"PUT","path":"/n/1","data":1}"#,
          #"{"method":"PUT","path":"/n/2","data":1,"headers":{"Expires-In":"60"}}"#,
          #"{"method":"PUT","path":"/n/3","data":1,"headers":{"Expires-In":"never"}}"#,
        ])
        let inserted = try SQLiteCommand.run(
          database, "INSERT INTO documents(collection, id, data) VALUES ('/n/', '4', '1');")
        #expect(inserted.status == 0 && inserted.error == "")
        var left = ""
        for _ in 0..<500 where !left.contains(#"["2", "3"]"#) {
          let answer = try server.answers([#"{"method":"GET","path":"/n/"}"#])[0]
          left =
            "\(answer.split(separator: "\"id\": ").dropFirst().map { String($0.prefix(3).dropFirst().dropLast()) })"
          usleep(10_000)
        }
        #expect(left == #"["2", "3"]"#)
        #expect(server.stop() == .exited(0))
      }
    }

    @Test(
      "settings that do not fit are refused, and what is wrong is said",
      arguments: [
        (#"{"unique": [["-mail"]]}"#, "invalid_settings"), (#"{"unique": 1}"#, "invalid_settings"),
        (#"{"unique": [["a"], "a"]}"#, "invalid_settings"), (#"{"unique": [[]]}"#, "invalid_settings"),
        (#"{"unique": ["@id"]}"#, "invalid_field"), (#"{"expire": 0}"#, "invalid_settings"),
        (#"{"expire": "1"}"#, "invalid_settings"), (#"{"expire": 1.5}"#, "invalid_settings"),
        (#"{"expire": 3155760001}"#, "invalid_settings"), (#"{"requireIfMatch": 1}"#, "invalid_settings"),
        (#"{"text": "tags.0"}"#, "invalid_field"), (#"{"text": [["a"]]}"#, "invalid_settings"),
      ])
    func refusals(settings: String, error: String) async throws {
      try await withServer { (server) throws in
        let answer = try server.answers([#"{"method":"PUT","path":"/_collections/n/","data":"# + settings + "}"])[0]
        #expect(answer.hasPrefix(#"{"code": 400, "#) && answer.contains("\"error\": \"\(error)\""), "\(answer)")
      }
    }
  }
}
