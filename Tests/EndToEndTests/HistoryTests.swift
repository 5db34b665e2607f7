import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  @Suite("tells what was")
  struct HistoryTests {
    private func request(_ method: String, _ path: String, _ data: String = "null", headers: String = "{}") -> String {
      #"{"method":"\#(method)","path":"\#(path)","data":\#(data),"headers":\#(headers)}"#
    }

    /// What stands behind `"data": ` in an answer, up to its headers.
    private func data(_ answer: String) -> String {
      let start = answer.range(of: #""data": "#)?.upperBound ?? answer.startIndex
      let end = answer.range(of: #", "headers": {"#, options: .backwards)?.lowerBound ?? answer.endIndex
      return String(answer[start..<end])
    }

    @Test("of a document: as of a revision or a time, its versions page by page, and puts it back")
    func documents() async throws {
      try await withServer { (server) throws in
        func ask(_ method: String, _ path: String, _ data: String = "null", headers: String = "{}") throws -> String {
          try server.exchange(request(method, path, data, headers: headers))
        }
        _ = try ask("PUT", "/n/1", "[1]")
        usleep(5_000)
        _ = try ask("PUT", "/n/1", "[1, 2]")
        _ = try ask("DELETE", "/n/1")
        #expect(data(try ask("GET", "/n/1?asOf=1")) == "[1]")
        let second = try ask("GET", "/n/1?asOf=2")
        #expect(data(second) == "[1, 2]" && second.contains(#""ETag": "\"2\"""#))
        #expect(try ask("GET", "/n/1?asOf=2", headers: #"{"If-None-Match":"2"}"#).contains(#""code": 304"#))
        #expect(try ask("GET", "/n/1?asOf=3").contains(#""code": 404"#))
        #expect(try ask("GET", "/n/1?asOf=0").contains(#""code": 404"#))

        let history = try ask("GET", "/n/1?history=true")
        let times = history.components(separatedBy: #""time": ""#).dropFirst().map { String($0.prefix(24)) }
        #expect(
          data(history) == """
            {"versions": [{"revision": 3, "time": "\(times[0])", "kind": "deleted", "size": null}, \
            {"revision": 2, "time": "\(times[1])", "kind": "updated", "size": 6}, \
            {"revision": 1, "time": "\(times[2])", "kind": "created", "size": 3}], "next": null}
            """)
        #expect(data(try ask("GET", "/n/1?asOf=\(times[2])")) == "[1]")
        #expect(data(try ask("GET", "/n/1?asOf=\(times[2].dropLast())%2B00:00")) == "[1]")
        let first = data(try ask("GET", "/n/1?history=true&limit=2"))
        let next = first.components(separatedBy: #""next": ""#).last?.prefix { $0 != "\"" } ?? ""
        #expect(
          data(try ask("GET", "/n/1?history=true&limit=2&after=\(next)")).hasPrefix(#"{"versions": [{"revision": 1,"#))
        #expect(try ask("GET", "/n/2?history=true&after=\(next)").contains("invalid_cursor"))

        #expect(
          data(try ask("POST", "/n/1?restore=1")) == #"{"path": "/n/1", "id": "1", "revision": 4}"#)
        #expect(try ask("POST", "/n/1?restore=2", headers: #"{"If-Match":"3"}"#).contains(#""code": 412"#))
        #expect(try ask("POST", "/n/1?restore=2", headers: #"{"Prefer":"dry-run"}"#).contains(#""revision": null"#))
        #expect(try ask("POST", "/n/1?restore=2", headers: #"{"If-Match":"4"}"#).contains(#""code": 200"#))
        #expect(data(try ask("GET", "/n/1")) == "[1, 2]")
        #expect(try ask("POST", "/n/1?restore=3").contains(#""code": 404"#))
        let key = #"{"Idempotency-Key":"k"}"#
        #expect(try ask("POST", "/n/1?restore=1", headers: key).contains(#""revision": 6"#))
        #expect(try ask("POST", "/n/1?restore=1", headers: key).contains("Replayed"))
        #expect(data(try ask("GET", "/n/1")) == "[1]")
        let refused = #"{"Idempotency-Key":"r"}"#
        #expect(try ask("POST", "/n/1?restore=3", headers: refused).contains(#""code": 404"#))
        #expect(try ask("POST", "/n/1?restore=3", headers: refused).contains("Replayed"))
        #expect(try ask("POST", "/n/1?restore=1", headers: refused).contains("idempotency_key_reused"))
      }
    }

    @Test("of a collection, every page of it as of the same moment, whatever comes meanwhile")
    func collections() async throws {
      try await withServer { (server) throws in
        func ask(_ method: String, _ path: String, _ data: String = "null") throws -> String {
          try server.exchange(request(method, path, data))
        }
        for id in 1...9 { _ = try ask("PUT", "/n/\(id)", "\(id)") }
        for id in [2, 4] { _ = try ask("DELETE", "/n/\(id)") }
        _ = try ask("PUT", "/n/5", "55")
        usleep(5_000)
        let now = try ask("GET", "/n/5?history=true&limit=1").components(separatedBy: #""time": ""#)[1].prefix(24)
        for asOf in ["9", "12", String(now)] {
          var found: [String] = []
          var next: String? = ""
          while let after = next {
            let page = data(try ask("GET", "/n/?asOf=\(asOf)&limit=2" + (after.isEmpty ? "" : "&after=\(after)")))
            #expect(page.hasSuffix(asOf == "9" ? #""asOf": 9}"# : #""asOf": 12}"#), "\(page)")
            found += page.components(separatedBy: #""document": "#).dropFirst().map { String($0.prefix { $0 != "}" }) }
            next =
              page.contains(#""next": null"#)
              ? nil : page.components(separatedBy: #""next": ""#).last.map { String($0.prefix { $0 != "\"" }) }
            _ = try ask("PUT", "/n/\(found.count)", #""later""#)
            _ = try ask("DELETE", "/n/\(10 - found.count)")
          }
          #expect(found == (asOf == "9" ? (1...9).map { "\($0)" } : ["1", "3", "55", "6", "7", "8", "9"]))
        }
        // The cursor of a page of the past is none of the present's, and the other way round.
        let past = data(try ask("GET", "/n/?asOf=9&limit=1")).components(separatedBy: #""next": ""#)[1].prefix {
          $0 != "\""
        }
        #expect(try ask("GET", "/n/?after=\(past)").contains("invalid_cursor"))
        #expect(try ask("GET", "/n/?asOf=8&after=\(past)").contains("invalid_cursor"))
        #expect(try server.exchange(request("GET", "/n/", #"{"asOf": 9, "limit": 1}"#)).contains(#""asOf": 9"#))
      }
    }

    @Test("and docket diff ends as diff does: 0 the same, 1 different, 2 in trouble")
    func diffStatus() async throws {
      try await withServer { (server) throws in
        func diff(_ arguments: String...) throws -> ChildProcess.Ending? {
          try ChildProcess(Docket.path, ["diff"] + arguments, environment: ["DOCKET_PORT": "\(server.port)"])
            .waitForEnd()
        }
        for text in ["[1]", "[2]", "[1]"] { _ = try server.exchange(request("PUT", "/n/1", text)) }
        #expect(try diff("/n/1", "1", "3") == .exited(0))
        #expect(try diff("/n/1", "1", "2") == .exited(1))
        #expect(try diff("/n/1", "yesterday") == .exited(2))
        #expect(try diff("/n/1", "9") == .exited(2))
        #expect(try diff("/n/2", "1") == .exited(2))
      }
    }

    @Test("and refuses moments that are none, have not come or are no longer kept")
    func refusals() async throws {
      try await withServer(["--history-days", "0"]) { (server) throws in
        for number in 1...600 { _ = try server.exchange(request("PUT", "/n/1", "\(number)")) }
        for _ in 0..<1_000 where try !server.exchange(request("GET", "/_stats")).contains(#""oldestRevision": 599"#) {
          usleep(5_000)
        }
        let expected: [(String, String, String)] = [
          ("GET", "/n/1?asOf=x", #""error": "invalid_moment""#), ("GET", "/n/1?asOf=", #""error": "invalid_moment""#),
          ("GET", "/n/1?asOf=-1", #""error": "invalid_moment""#),
          ("GET", "/n/1?asOf=2026-02-30T00:00:00Z", #""error": "invalid_moment""#),
          ("GET", "/n/1?asOf=99999999999999999999", #""error": "invalid_moment""#),
          ("GET", "/n/?asOf=yesterday", #""error": "invalid_moment""#),
          ("POST", "/n/1?restore=x", #""error": "invalid_moment""#),
          ("GET", "/n/1?asOf=1&limit=1", #""error": "unknown_parameter""#),
          ("GET", "/n/1?limit=1", #""error": "unknown_parameter""#),
          ("GET", "/n/1?history=false", #""error": "unknown_parameter""#),
          ("GET", "/n/1?history=true&asOf=1", #""error": "unknown_parameter""#),
          ("GET", "/n/1?history=true&limit=0", #""error": "invalid_limit""#),
          ("POST", "/n/1?restore=1&x=1", #""error": "unknown_parameter""#),
          ("PUT", "/n/1?restore=1", #""error": "unknown_parameter""#),
          ("POST", "/n/1", #""error": "method_not_allowed""#),
          ("GET", "/n/1?asOf=601", #""code": 409"#), ("GET", "/n/?asOf=601", #""error": "ahead""#),
          ("GET", "/n/1?asOf=2999-01-01T00:00:00Z", #""error": "ahead""#),
          ("GET", "/n/1?asOf=3", #""code": 410"#), ("GET", "/n/?asOf=3", #""error": "history_gone""#),
          ("POST", "/n/1?restore=3", #""oldestRevision": 599}"#),
          ("GET", "/n/1?asOf=2000-01-01T00:00:00Z", #""error": "history_gone""#),
          ("GET", "/n/2?history=true", #""code": 404"#),
        ]
        for (method, path, part) in expected {
          let answer = try server.exchange(request(method, path))
          #expect(answer.contains(part), "\(method) \(path) was answered \(answer)")
        }
        let batch = #"{"requests":[{"method":"GET","path":"/n/1?asOf=600"}]}"#
        #expect(try server.exchange(request("POST", "/_batch", batch)).contains("not_in_batch"))
      }
    }
  }
}
