import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  @Suite("changes documents on terms")
  struct ConditionTests {
    @Test("patches of both kinds, and says which operation does not fit")
    func patches() async throws {
      try await withServer { (server) throws in
        func patch(_ data: String, headers: String = "{}") -> String {
          #"{"method":"PATCH","path":"/n/1","headers":\#(headers),"data":\#(data)}"#
        }
        let found = try server.answers([
          patch("[]"), #"{"method":"PUT","path":"/n/1","data":{"n":1,"list":[1]}}"#, patch(#"{"n":2}"#),
          patch(#"[{"op":"test","path":"/n","value":2},{"op":"add","path":"/list/-","value":{}}]"#),
          patch(#"[{"op":"remove","path":"/n"},{"op":"test","path":"/list","value":[]}]"#),
          patch(#"[{"op":"remove","path":"/n"},{"op":"remove","path":"/n"}]"#),
          patch(#"[{"op":"remove","path":""}]"#), patch(#"[{"op":"jump","path":""}]"#), patch("1"), patch("null"),
          patch("[]", headers: #"{"If-Match":"1"}"#), #"{"method":"GET","path":"/n/1"}"#,
        ])
        #expect(
          found.map { $0.dropFirst(9).prefix(3) }
            == ["404", "201", "200", "200", "409", "422", "422", "422", "422", "422", "412", "200"])
        #expect(found[4].contains(#""error": "patch_test_failed""#) && found[4].contains(#""operation": 1}"#))
        #expect(found[5].contains(#""error": "invalid_patch""#) && found[5].contains(#""operation": 1}"#))
        for answer in found[6...9] { #expect(answer.contains(#""error": "invalid_patch""#), "\(answer)") }
        #expect(found[11].contains(#""data": {"n":2,"list":[1,{}]}"#))
      }
    }

    @Test("but not by a patch that copies more than one may: it is the patch that is told so")
    func copyingPatch() async throws {
      try await withServer { (server) throws in
        let copy = #"{"op":"copy","from":"/a","path":"/b"}"#
        let patch = Array(repeating: copy, count: 20).joined(separator: ",")
        let found = try server.answers([
          #"{"method":"PUT","path":"/n/1","data":{"a":"\#(String(repeating: "x", count: 300_000))"}}"#,
          #"{"method":"PATCH","path":"/n/1","data":[\#(patch)]}"#,
          #"{"method":"PATCH","path":"/n/1","data":[\#(copy)]}"#,
        ])
        #expect(found[1].hasPrefix(#"{"code": 422, "#) && found[1].contains(#""error": "invalid_patch""#))
        #expect(found[1].contains("send it in parts"))
        #expect(found[2].contains(#""revision": 2}"#))
      }
    }

    @Test("that If-Match and If-None-Match set, for writes and for reads")
    func conditions() async throws {
      try await withServer { (server) throws in
        func request(_ method: String, _ header: String, _ value: String, id: String = "1") -> String {
          let value = value.replacingOccurrences(of: "\"", with: "\\\"")
          return #"{"method":"\#(method)","path":"/n/\#(id)","headers":{"\#(header)":"\#(value)"},"data":{}}"#
        }
        let found = try server.answers([
          request("PUT", "If-None-Match", "*"), request("PUT", "if-none-match", "*"),
          request("PUT", "If-Match", "\"9\""),
          request("PUT", "If-Match", "\"1\""), request("PATCH", "If-Match", "3, \"2\""),
          request("GET", "If-None-Match", "\"3\""), request("GET", "If-None-Match", "\"2\""),
          request("GET", "If-Match", "2"), request("DELETE", "If-Match", "*", id: "2"),
          request("DELETE", "If-Match", "\"2\""), request("DELETE", "If-Match", "\"3\""),
          request("PUT", "If-Match", "\"abc\""), request("PUT", "If-Match", "W/\"3\""),
          request("PUT", "If-Match", ""),
          #"{"method":"POST","path":"/n/","headers":{"If-None-Match":"*"},"data":1}"#,
          #"{"method":"PUT","path":"/n/1","headers":{"If-None-Match":"*","If-Match":"*"},"data":1}"#,
        ])
        let codes = found.map { $0.dropFirst(9).prefix(3) }
        #expect(
          codes == [
            "201", "412", "412", "200", "200", "304", "200", "412", "412", "412", "204", "400", "412", "400", "400",
            "400",
          ])
        #expect(found[2].contains(#""error": "precondition_failed""#) && found[2].contains(#""revision": 1}"#))
        #expect(found[8].contains(#""revision": null}"#))
        #expect(found[5].hasPrefix(#"{"code": 304, "message": "Not Modified", "data": null"#))
        #expect(found[5].contains(#""ETag": "\"3\"""#))
        for answer in [found[11]] + found[13...] {
          #expect(answer.contains(#""error": "invalid_condition""#), "\(answer)")
        }
      }
    }

    @Test("that a dry run only tries")
    func dryRun() async throws {
      try await withServer { (server) throws in
        let found = try server.answers([
          #"{"method":"PUT","path":"/n/1","headers":{"Prefer":"dry-run;a=1"},"data":1}"#,
          #"{"method":"POST","path":"/item","headers":{"Prefer":"dry-run"},"data":1}"#,
          #"{"method":"GET","path":"/n/1"}"#, #"{"method":"GET","path":"/list"}"#,
          #"{"method":"PUT","path":"/n/1","data":1}"#,
        ])
        #expect(
          found[0].hasPrefix(
            #"{"code": 201, "message": "Created", "data": {"path": "/n/1", "id": "1", "revision": null}"#))
        #expect(!found[0].contains("ETag"))
        #expect(found[1].hasPrefix(#"{"code": 201, "#))
        #expect(found[2].hasPrefix(#"{"code": 404, "#))
        #expect(found[3].hasSuffix(#""data": []}"#))
        #expect(found[4].contains(#""revision": 1}"#))
      }
    }

    @Test("that Expires-In ends them, and only for sensible times")
    func expiry() async throws {
      try await withServer { (server) throws in
        func put(_ seconds: String) -> String {
          #"{"method":"PUT","path":"/n/1","headers":{"Expires-In":\#(seconds)},"data":1}"#
        }
        let get = #"{"method":"GET","path":"/n/1"}"#
        let found = try server.answers(
          [put("1"), get] + ["0", "-1", "\"+5\"", "1.5", "\"soon\"", "3155760001", "99999999999999999999"].map(put))
        #expect(found[0].hasPrefix(#"{"code": 201, "#) && found[1].hasSuffix(#""data": 1}"#))
        for answer in found[2...] { #expect(answer.contains(#""error": "invalid_expiry""#), "\(answer)") }
        let deletion = #"{"method":"DELETE","path":"/n/1","headers":{"Expires-In":1}}"#
        #expect(try server.answers([deletion])[0].contains("invalid_expiry"))
        while try server.answers([get])[0].hasPrefix(#"{"code": 200, "#) {}
        #expect(try server.answers([put("3155760000")])[0].hasPrefix(#"{"code": 201, "#))
      }
    }

    @Test("for the commands of the command line, too")
    func commands() async throws {
      try await withServer { (server) throws in
        func docket(_ arguments: String...) throws -> String {
          let process = try ChildProcess(Docket.path, arguments, environment: ["DOCKET_PORT": "\(server.port)"])
          _ = process.waitForEnd()
          return process.remainingOutput + process.errorOutput
        }
        #expect(try docket("put", "/n/1", "1", "--dry-run").contains(#""revision": null"#))
        #expect(try docket("put", "/n/1", "1", "--if-none-match", "*").contains(#""revision": 1"#))
        #expect(try docket("put", "/n/1", "2", "--if-match", "7").contains("412 Precondition Failed"))
        #expect(
          try docket("patch", "/n/1", "{}", "--if-match", "1", "--expires-in", "3600").contains(#""revision": 2"#))
        #expect(try docket("delete", "/n/1", "--if-match", "1").contains("412"))
        #expect(try docket("sql", "SELECT 1", "--if-match", "1").contains("Usage: docket sql"))
        #expect(try docket("put", "/n/1", "1", "--if-match", "1", "--if-none-match", "2").contains("not both"))
        #expect(try docket("put", "/n/1", "1", "--expires-in", "0").contains("at least 1"))
        #expect(try docket("list", "/n/1").contains("ends with a slash"))
        for path in ["/_stats", "/n/", "/n/1?asOf=1"] {
          #expect(try docket("history", path).contains("must be a document's alone"), "\(path)")
        }
        #expect(try docket("put", "q", "1").contains("two segments or more"))
        #expect(try docket("request", "junk").contains("a JSON object with method and path"))
      }
    }
  }
}
